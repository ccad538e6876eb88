/* run.h - what runs each command of the table; all return an exit code.               room: cli   runs in: cli */
#ifndef CLI_RUN_H
#define CLI_RUN_H

struct cli;

int run_init(struct cli *c);
int run_serve(struct cli *c);
int run_check(struct cli *c);
int run_domain_add(struct cli *c);
int run_domain_list(struct cli *c);
int run_domain_remove(struct cli *c);
int run_account_add(struct cli *c);
int run_account_list(struct cli *c);
int run_account_show(struct cli *c);
int run_account_remove(struct cli *c);
int run_account_password(struct cli *c);
int run_account_lock(struct cli *c);
int run_account_unlock(struct cli *c);
int run_alias_add(struct cli *c);
int run_alias_list(struct cli *c);
int run_alias_remove(struct cli *c);
int run_address_resting(struct cli *c);
int run_address_release(struct cli *c);
int run_client_add(struct cli *c);
int run_client_change(struct cli *c);
int run_client_rotate(struct cli *c);
int run_client_thaw(struct cli *c);
int run_client_audit(struct cli *c);
int run_token_add(struct cli *c);
int run_token_list(struct cli *c);
int run_token_revoke(struct cli *c);
int run_account_reset(struct cli *c);
int run_account_group(struct cli *c);
int run_password_check(struct cli *c);
int run_policy_set(struct cli *c);
int run_policy_show(struct cli *c);
int run_factor_totp(struct cli *c);
int run_factor_confirm(struct cli *c);
int run_factor_list(struct cli *c);
int run_factor_remove(struct cli *c);
int run_factor_recovery(struct cli *c);
int run_vault_rotate(struct cli *c);
int run_breach_build(struct cli *c);
int run_breach_check(struct cli *c);
int run_batch(struct cli *c);
int run_batch_key(struct cli *c);
int run_batch_open(struct cli *c);
int run_client_list(struct cli *c);
int run_client_show(struct cli *c);
int run_client_revoke(struct cli *c);
int run_client_remove(struct cli *c);
int run_client_test(struct cli *c);
int run_doctor(struct cli *c);
int run_directory_test(struct cli *c);
int run_directory_sync(struct cli *c);
int run_why(struct cli *c);
int run_backup(struct cli *c);
int run_status(struct cli *c);
int run_limits(struct cli *c);
int run_version(struct cli *c);
int run_completion(struct cli *c);
int run_help(struct cli *c);

#endif
