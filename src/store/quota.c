#include "store/quota.h"

#include "store/private.h"

struct quota quota_of(const struct account *a)
{
    account_assert_usable(a);
    return (struct quota){
        .bytes = a->bytes,
        .messages = a->messages,
        .bytes_max = a->bytes_max,
        .messages_max = a->messages_max};
}

fallible quota_set(struct account *a, uint64_t bytes_max, uint64_t messages_max)
{
    account_assert_usable(a);
    if (bytes_max > INT64_MAX || messages_max > INT64_MAX)
        return ERR_LIMIT;
    if (a->bytes_max == bytes_max && a->messages_max == messages_max)
        return OK;
    TRY(account_begin(a));
    a->bytes_max = bytes_max;
    a->messages_max = messages_max;
    account_touch(a);
    return account_commit(a);
}

static bool is_beyond(uint64_t used, uint64_t more, uint64_t max)
{
    return max && (used > max || more > max - used);
}

fallible quota_check(const struct account *a, uint64_t bytes, uint64_t messages)
{
    account_assert_usable(a);
    return is_beyond(a->bytes, bytes, a->bytes_max) || is_beyond(a->messages, messages, a->messages_max)
               ? ERR_QUOTA
               : OK;
}
