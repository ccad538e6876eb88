/* strength.h - how hard a mailbox password is to guess, in a colour and a reason that its owner understands.   room: vault
 * runs in: vault
 *
 * The guesses that an attacker needs are estimated by zxcvbn (this file is the one that sees its header), who is given the
 * account's address, name and domain as words that would be tried first. Red: below 10^8 guesses; yellow: below 10^12; green:
 * above. 10^8 guesses of Argon2id at the preset cost take one processor core about four months, 10^12 three thousand years.
 * The reason names what made it weak, by the part of the password that is easiest for its length.
 *
 * Pure. zxcvbn allocates; its copies are of at most STRENGTH_LOOKED octets (a longer password is not weaker than its beginning).
 */
#ifndef VAULT_STRENGTH_H
#define VAULT_STRENGTH_H

#include "base/slice.h"

enum strength_colour { STRENGTH_GREEN, STRENGTH_YELLOW, STRENGTH_RED }; /* as enum policy_strength */
/* "green". */
const char *strength_colour_name(enum strength_colour colour);

enum { STRENGTH_LOOKED = 96, STRENGTH_WORDS = 16, STRENGTH_WORD = 64 };

/* PASSWORD_REASON(NAME, "stable-word", English, Chinese): why a mailbox password is good, weak, or refused. "{n}" is a number. */
#define PASSWORD_REASONS(REASON)                                                                             \
    REASON(FINE, "fine", "Hard to guess.", "难以猜到。")                                                     \
    REASON(GUESSABLE, "guessable", "Too few different characters: make it longer.", "变化太少，请加长。")    \
    REASON(                                                                                                  \
        COMMON, "common-word",                                                                               \
        "It is made of words that everybody tries first. Several unrelated words are better.",               \
        "由人人都会先猜的常用词组成。用几个互不相关的词更好。")                                              \
    REASON(                                                                                                  \
        PERSONAL, "about-you", "It contains your name, address or organisation, which are tried first.",     \
        "包含您的姓名、地址或单位名称，这些会最先被猜。")                                                    \
    REASON(                                                                                                  \
        REPEATS, "repeats", "It repeats itself; repetition adds nothing.", "内容重复，重复并不增加强度。")   \
    REASON(                                                                                                  \
        SEQUENCE, "sequence", "It runs along the alphabet or the digits, as in \"abcd\" or \"1234\".",       \
        "包含连续的字母或数字，如“abcd”或“1234”。")                                                          \
    REASON(                                                                                                  \
        KEYBOARD, "keyboard-row", "It runs along the keyboard, as in \"qwerty\".",                           \
        "包含键盘上相邻的按键，如“qwerty”。")                                                                \
    REASON(                                                                                                  \
        DATE, "date", "It contains a date or a year, which are easy to try.",                                \
        "包含日期或年份，容易被试出。")                                                                      \
    REASON(                                                                                                  \
        SHORT, "too-short", "It is too short: at least {n} characters are needed.",                          \
        "太短：至少需要 {n} 个字符。")                                                                       \
    REASON(                                                                                                  \
        KINDS, "too-few-kinds",                                                                              \
        "It needs at least {n} kinds of characters: small letters, capitals, digits, others.",               \
        "至少需要包含 {n} 类字符：小写字母、大写字母、数字、其他字符。")                                     \
    REASON(                                                                                                  \
        BREACHED, "breached", "It stands in lists of stolen passwords, which are tried first.",              \
        "出现在已泄露密码的清单中，会最先被试。")                                                            \
    REASON(USED, "used-before", "It was used for this mailbox before.", "此邮箱以前用过这个密码。")          \
    REASON(                                                                                                  \
        FORM, "form", "A mailbox password is text of at most 1024 octets without control characters.",       \
        "邮箱密码须为不超过 1024 字节、不含控制字符的文本。")                                                \
    REASON(                                                                                                  \
        CLIENT, "client-password",                                                                           \
        "It has the form of a client password; those are made by the server alone.",                         \
        "它具有客户端密码的形式；客户端密码只能由服务器生成。")

enum password_reason {
#define REASON(id, stable, en, zh) PASSWORD_##id,
    PASSWORD_REASONS(REASON)
#undef REASON
        PASSWORD_REASON_N
};
const char *password_reason_name(enum password_reason reason);
/* language: "zh", "zh-CN", ... for Chinese; anything else for English. */
struct buf;
void password_reason_put(enum password_reason reason, struct slice language, int64_t number, struct buf *out);
/* The same behind a sentence that says that the password is refused. */
void password_refusal_put(
    enum password_reason reason, struct slice language, int64_t number, struct buf *out);

struct strength {
    enum strength_colour colour;
    enum password_reason reason; /* FINE when green */
    double bits;                 /* the logarithm of the guesses */
};
/* password: in its normal form. Words about the person (address, name, domain): split at whatever is no letter or digit. */
struct strength strength_of(struct slice password, const struct slice *about, size_t count);

/* Unicode characters; and which of small letters, capitals, digits and others it has. */
size_t password_characters(struct slice password);
unsigned password_kinds(struct slice password);

#endif
