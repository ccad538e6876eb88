#include "cli/answers.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

enum { PLACES = 3 };

/* A "*" in English is anything, and stands in Chinese as {1}, {2}, {3}. */
static const struct lang_text table[] = {
    {{"there is no such account", "没有这个账户"}},
    {{"there is no such alias", "没有这个别名"}},
    {{"there is no such domain", "没有这个域名"}},
    {{"there is no such door", "没有这个入口"}},
    {{"there is no such policy: `letterlock policy show` lists them",
      "没有这项规则：“letterlock policy show”列出所有规则"}},
    {{"the account has no client password of this number", "该账户没有这个编号的客户端密码"}},
    {{"the account has no second factor of this number", "该账户没有这个编号的第二因素"}},
    {{"the account has no remembered device of this number", "该账户没有这个编号的已记住设备"}},
    {{"the account has no mailbox password", "该账户没有邮箱密码"}},
    {{"the account is locked", "该账户已锁定"}},
    {{"the account was changed at the same moment: look at it, then try again",
      "该账户恰好同时被更改：请查看后重试"}},
    {{"the account has * authenticators already: remove one", "该账户已有 {1} 个验证器：请先删除一个"}},
    {{"the account has * live client passwords already: revoke one that is not used",
      "该账户已有 {1} 个有效的客户端密码：请先吊销不用的"}},
    {{"the account has * second factors already", "该账户已有 {1} 个第二因素"}},
    {{"the account has as many client passwords as it may have", "该账户的客户端密码数量已达上限"}},
    {{"no authenticator of this number waits for its first code", "没有这个编号的验证器在等待第一个验证码"}},
    {{"no client password of this label is left", "没有这个名称的有效客户端密码"}},
    {{"recovery codes stand in for a second factor: add an authenticator or a key first",
      "恢复码用于代替第二因素：请先添加验证器或安全密钥"}},
    {{"policy demands a second factor of this kind, and this is the last one: add another first",
      "规则要求这种第二因素，而这是最后一个：请先添加另一个"}},
    {{"policy remembers no devices", "规则不允许记住设备"}},
    {{"a code has six digits", "验证码是六位数字"}},
    {{"this code is wrong, was used, or is too old", "验证码不正确、已被使用过，或已过期"}},
    {{"a client password must be allowed to receive, to send, or both",
      "客户端密码须可收、可发，或两者皆可"}},
    {{"a certificate is renewed outside: add the new one, revoke the old one",
      "证书在别处更新：请添加新证书，吊销旧证书"}},
    {{"this certificate stands under the account already", "该证书已登记在此账户"}},
    {{"this client password was revoked: make a new one", "该客户端密码已被吊销：请新建一个"}},
    {{"it was rotated already, to *", "它已经换过，新编号 {1}"}},
    {{"it has a limit that this release does not know: make a new one",
      "它带有本版本不认识的限制：请新建一个"}},
    {{"it has expired: change its expiry first, or make a new one", "它已过期：请先更改有效期，或新建一个"}},
    {{"it is frozen: look at it and thaw it first", "它已被冻结：请查明后先解冻"}},
    {{"the expiry is in the past", "有效期已过"}},
    {{"a display name is UTF-8 text without control characters", "姓名须为不含控制字符的 UTF-8 文字"}},
    {{"a label is UTF-8 text without control characters, not empty",
      "名称须为不含控制字符的 UTF-8 文字，不能为空"}},
    {{"a language is written as en or zh-CN", "语言写作 en 或 zh-CN"}},
    {{"a mail domain has at least two labels, as in example.org", "邮件域名至少有两段，例如 example.org"}},
    {{"the name of a group has at most * octets and no blanks", "组名最多 {1} 字节，且不含空格"}},
    {{"an alias cannot lead to itself", "别名不能指向自己"}},
    {{"an alias leads to at most * addresses, through at most * levels",
      "别名最多指向 {1} 个地址，最多经过 {2} 层"}},
    {{"the address is an account's: an account cannot be an alias as well",
      "该地址属于一个账户：账户不能同时是别名"}},
    {{"the address is in use already, by an account or an alias", "该地址已被某个账户或别名使用"}},
    {{"there is an address already that people would take for this one", "已有一个看起来与它相同的地址"}},
    {{"the alias does not lead there", "该别名没有指向那里"}},
    {{"the alias leads there already", "该别名已经指向那里"}},
    {{"the target does not exist here", "目标地址在本站不存在"}},
    {{"the target is not in a domain of ours: mail to other domains cannot be passed on yet",
      "目标地址不属于本站的域名：暂时还不能转发到其他域名"}},
    {{"the domain exists already", "该域名已经存在"}},
    {{"the domain is not one of ours: letterlock domain add",
      "该域名不属于本站：可用 letterlock domain add 添加"}},
    {{"its domain is not one of ours: domain add", "其域名不属于本站：可用 domain add 添加"}},
    {{"the domain still has accounts or aliases: remove those first (letterlock account list)",
      "该域名下还有账户或别名：请先删除（letterlock account list）"}},
    {{"this address does not rest", "该地址不在停用期"}},
    {{"this address is too long", "该地址太长"}},
    {{"this is not a domain name", "这不是域名"}},
    {{"this is not a mail address", "这不是邮件地址"}},
    {{"this quota is too large", "配额太大"}},
    {{"* was somebody's until * and rests until * (letterlock address release)",
      "{1} 曾属于他人，于 {2} 停用，停用期至 {3}（letterlock address release）"}},
    {{"the old mailbox password is wrong", "当前的邮箱密码不正确"}},
    {{"this mailbox password was used for this mailbox before", "该邮箱曾用过这个邮箱密码"}},
    {{"this account comes from the directory (LDAP), and so does its mailbox password: it is set there",
      "该账户来自目录（LDAP），其邮箱密码也在那里设置"}},
    {{"this server asks no directory: set directory in letterlock.conf, and start it (letterlock serve)",
      "本服务器没有使用目录：请在 letterlock.conf 中设置 directory 并启动（letterlock serve）"}},
    {{"the policy reset_life lets a code live for * seconds at most",
      "规则 reset_life 允许重置码最多有效 {1} 秒"}},
    {{"more than * policies cannot be set", "最多可以设定 {1} 项规则"}},
    {{"the vault's files: *", "保险库的文件：{1}"}},
    {{"vault/*: *", "vault/{1}：{2}"}},
    {{"* is one of: *", "{1} 只能是：{2}"}},
    {{"* is a number from * to *", "{1} 是 {2} 到 {3} 的数"}},
};

/* Fills what stands at each "*". */
static bool fits(struct slice pattern, struct slice text, struct slice places[PLACES])
{
    for (size_t used = 0;; used++) {
        size_t star = slice_find(pattern, '*');
        struct slice before = slice_sub(pattern, 0, star);
        if (!slice_starts(text, before))
            return false;
        text = slice_from(text, before.n);
        if (star == SLICE_NPOS)
            return text.n == 0;
        pattern = slice_from(pattern, star + 1);
        struct slice next = slice_sub(pattern, 0, slice_find(pattern, '*'));
        size_t end = next.n ? slice_search(text, next) : text.n;
        if (used == PLACES || end == SLICE_NPOS || end == 0)
            return false;
        places[used] = slice_sub(text, 0, end);
        text = slice_from(text, end);
    }
}

/* The general words for an error, alone or at the end of a text. */
static struct slice error_words(enum lang lang, struct slice text)
{
    for (int e = 0; e > ERR_N; e--)
        if (slice_eq(text, slice_str(err_text((enum err)e))))
            return slice_str(lang_error((enum err)e, lang));
    return text;
}

static void put_filled(const char *words, const struct slice places[PLACES], struct buf *out)
{
    for (const char *p = words; *p; p++)
        if (p[0] == '{' && p[1] >= '1' && p[1] <= '0' + PLACES && p[2] == '}') {
            buf_put(out, places[p[1] - '1']);
            p += 2;
        } else {
            buf_put_char(out, *p);
        }
}

struct slice answer_words(struct arena *arena, enum lang lang, struct slice text)
{
    if (lang == LANG_EN)
        return text;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct slice places[PLACES] = {SLICE_EMPTY};
        struct buf out CLEANUP_BUF = BUF_INIT(65536);
        if (!fits(slice_str(table[i].in[LANG_EN]), text, places))
            continue;
        for (size_t p = 0; p < PLACES; p++)
            places[p] = error_words(lang, places[p]);
        put_filled(table[i].in[lang], places, &out);
        return buf_check(&out) == OK ? arena_copy(arena, buf_slice(&out)) : text;
    }
    return error_words(lang, text);
}
