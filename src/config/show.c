/* show.c - values as the file would say them, and what a key wants, in words. */
#include "config/private.h"

#include <assert.h>

/* With quotation marks when it could not stand bare. */
static void put_word(struct slice word, struct buf *out)
{
    bool bare = word.n > 0 && word.p[0] != '#';
    for (size_t i = 0; i < word.n; i++)
        if (slice_has(S(" \t\",;'=`*?|<>"), word.p[i]))
            bare = false;
    if (bare) {
        buf_put(out, word);
        return;
    }
    buf_put_char(out, '"');
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '"' || word.p[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, word.p[i]);
    }
    buf_put_char(out, '"');
}

static void put_networks(const struct config_value *v, struct buf *out)
{
    if (v->network_count == 0)
        buf_put_str(out, "none");
    for (size_t i = 0; i < v->network_count; i++) {
        char text[IP_TEXT_MAX];
        const struct ip_net *net = &v->networks[i];
        unsigned bits = ip_is_v4(&net->ip) && net->bits >= 96 ? net->bits - 96u : net->bits;
        buf_printf(out, "%s%s/%u", i ? " " : "", ip_text(&net->ip, text), bits);
    }
}

static void put_listener(const struct config_listener *l, struct buf *out)
{
    char text[IP_TEXT_MAX];
    buf_printf(out, "%s ", config_door_name(l->door));
    if (l->every)
        buf_put_char(out, '*');
    else
        buf_printf(out, ip_is_v4(&l->ip) ? "%s" : "[%s]", ip_text(&l->ip, text));
    buf_printf(out, ":%u", l->port);
}

static void put_certificate(const struct config_certificate *c, struct buf *out)
{
    put_word(c->chain, out);
    buf_put_char(out, ' ');
    put_word(c->key, out);
    for (size_t i = 0; i < c->name_count; i++) {
        buf_put_char(out, ' ');
        buf_put(out, c->names[i]);
    }
}

static void put_words(const struct config_value *v, struct buf *out)
{
    if (v->word_count == 0)
        buf_put_str(out, "none");
    for (size_t i = 0; i < v->word_count; i++) {
        if (i)
            buf_put_char(out, ' ');
        put_word(v->words[i], out);
    }
}

static void put_directory(const struct config_directory *d, struct buf *out)
{
    bool bracketed = slice_has(d->host, ':');
    buf_printf(
        out, "%s://%s" SLICE_FMT "%s:%u", d->tls_first ? "ldaps" : "ldap", bracketed ? "[" : "",
        SLICE_ARG(d->host), bracketed ? "]" : "", d->port);
}

void value_put(enum config_key key, const struct config_value *v, struct buf *out)
{
    switch (config_row(key)->type) {
    case CONFIG_TYPE_HOSTNAME:
    case CONFIG_TYPE_ENUM:
        buf_put(out, v->text);
        break;
    case CONFIG_TYPE_TEXT:
    case CONFIG_TYPE_PATH:
        put_word(v->text, out);
        break;
    case CONFIG_TYPE_WORDS:
    case CONFIG_TYPE_ATTRIBUTE:
        put_words(v, out);
        break;
    case CONFIG_TYPE_DIRECTORY:
        put_directory(&v->directory, out);
        break;
    case CONFIG_TYPE_BOOLEAN:
        buf_put_str(out, v->number ? "yes" : "no");
        break;
    case CONFIG_TYPE_COUNT_AUTO:
        if (v->number == 0)
            buf_put_str(out, "auto");
        else
            buf_put_u64(out, v->number);
        break;
    case CONFIG_TYPE_NETWORKS:
        put_networks(v, out);
        break;
    case CONFIG_TYPE_LISTEN:
        put_listener(&v->listener, out);
        break;
    case CONFIG_TYPE_CERTIFICATE:
        put_certificate(&v->certificate, out);
        break;
    default:
        config_measure_put(config_row(key)->type, v->number, out);
    }
}

/* %1 and %2: least and most; %3: the default, or an example; %4: the choices with "or" between them. */
static const struct lang_text wanted[] = {
    [CONFIG_TYPE_HOSTNAME] =
        {{"a full domain name, such as mail.example.org", "完整的域名，例如 mail.example.org"}},
    [CONFIG_TYPE_COUNT] = {{"a number from %1 to %2", "%1 到 %2 的整数"}},
    [CONFIG_TYPE_COUNT_AUTO] = {{"auto, or a number from %1 to %2", "auto 或 %1 到 %2 的整数"}},
    [CONFIG_TYPE_DURATION] =
        {{"a time from %1 to %2 in ms, s, min, h or d, such as %3",
          "%1 到 %2 的时间，单位 ms、s、min、h 或 d，例如 %3"}},
    [CONFIG_TYPE_SIZE] =
        {{"a size from %1 to %2 in B, KiB, MiB, GiB or TiB, such as %3",
          "%1 到 %2 的大小，单位 B、KiB、MiB、GiB 或 TiB，例如 %3"}},
    [CONFIG_TYPE_BOOLEAN] = {{"yes or no", "yes 或 no"}},
    [CONFIG_TYPE_ENUM] = {{"%4", "%4"}},
    [CONFIG_TYPE_NETWORKS] =
        {{"networks such as 192.0.2.0/24 2001:db8::/32, or none",
          "网段，例如 192.0.2.0/24 2001:db8::/32，或 none"}},
    [CONFIG_TYPE_LISTEN] =
        {{"a door (smtp, submission, submissions, imap, imaps, pop3, pop3s) and address:port, such as imaps "
          "*:993",
          "入口（smtp、submission、submissions、imap、imaps、pop3、pop3s）和 地址:端口，例如 imaps *:993"}},
    [CONFIG_TYPE_CERTIFICATE] =
        {{"a chain file and a key file, such as tls/server.pem tls/server.key",
          "证书链文件和私钥文件，例如 tls/server.pem tls/server.key"}},
    [CONFIG_TYPE_TEXT] = {{"a text, in quotation marks when it has blanks", "一段文字，含空格时加引号"}},
    [CONFIG_TYPE_PATH] = {{"a file, such as directory/ca.pem", "文件，例如 directory/ca.pem"}},
    [CONFIG_TYPE_WORDS] = {{"words, in quotation marks those that have blanks", "若干个词，含空格的加引号"}},
    [CONFIG_TYPE_ATTRIBUTE] =
        {{"names of LDAP attributes, such as mail, or none", "LDAP 属性名，例如 mail，或 none"}},
    [CONFIG_TYPE_DIRECTORY] =
        {{"ldaps://host, ldap://host, or one of them with :port, such as ldaps://ldap.example.org",
          "ldaps://主机 或 ldap://主机，可加 :端口，例如 ldaps://ldap.example.org"}},
};
static_assert(sizeof wanted / sizeof *wanted == CONFIG_TYPES, "a type without words");

static void put_choices(const struct config_row *row, enum lang lang, struct buf *out)
{
    struct slice rest = slice_str(row->choices), word;
    for (size_t i = 0; slice_cut(&rest, ' ', &word); i++) {
        if (i)
            buf_put_str(
                out, rest.p == NULL ? (lang == LANG_ZH ? " 或 " : " or ") : (lang == LANG_ZH ? "、" : ", "));
        buf_put(out, word);
    }
}

void config_wanted_put(enum config_key key, enum lang lang, struct buf *out)
{
    const struct config_row *row = config_row(key);
    bool has_choices = row->type == CONFIG_TYPE_WORDS && row->choices;
    for (const char *p = wanted[has_choices ? CONFIG_TYPE_ENUM : row->type].in[lang]; *p; p++) {
        if (*p != '%') {
            buf_put_char(out, *p);
            continue;
        }
        p++;
        if (*p == '1')
            config_measure_put(row->type, row->least, out);
        else if (*p == '2')
            config_measure_put(row->type, row->most, out);
        else if (*p == '3')
            buf_put_str(out, row->preset);
        else
            put_choices(row, lang, out);
    }
}
