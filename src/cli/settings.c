#include "cli/settings.h"

static const struct lang_text imap_words = {{"Incoming mail (IMAP)", "收信（IMAP）"}},
                              pop3_words = {{"Incoming mail (POP3, if asked for)", "收信（POP3，需要时）"}},
                              smtp_words = {{"Outgoing mail (SMTP)", "发信（SMTP）"}};

static const struct {
    enum config_door door, better;
    const struct lang_text *what;
} doors[SETTINGS_MAX] = {
    {DOOR_IMAPS, DOOR_IMAPS, &imap_words},
    {DOOR_IMAP, DOOR_IMAPS, &imap_words},
    {DOOR_POP3S, DOOR_POP3S, &pop3_words},
    {DOOR_POP3, DOOR_POP3S, &pop3_words},
    {DOOR_SUBMISSIONS, DOOR_SUBMISSIONS, &smtp_words},
    {DOOR_SUBMISSION, DOOR_SUBMISSIONS, &smtp_words},
};

static bool has_word(struct slice words, struct slice word)
{
    struct slice one;
    while (slice_cut(&words, ' ', &one))
        if (slice_eq(one, word))
            return true;
    return false;
}

struct may may_of(bool receives, bool sends, struct slice words)
{
    bool all = words.n == 0;
    return (struct may){
        .imap = receives && (all || has_word(words, S("imap"))),
        .pop3 = receives && (all || has_word(words, S("pop3"))),
        .smtp = sends && (all || has_word(words, S("smtp"))),
    };
}

static const struct config_listener *listener_of(const struct config *config, enum config_door door)
{
    for (size_t i = 0; i < config_listeners(config); i++)
        if (config_listener(config, i)->door == door)
            return config_listener(config, i);
    return NULL;
}

size_t settings_of(const struct config *config, struct may may, struct setting out[SETTINGS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < SETTINGS_MAX; i++) {
        const struct config_listener *l = listener_of(config, doors[i].door);
        bool wanted = doors[i].better == DOOR_IMAPS   ? may.imap
                      : doors[i].better == DOOR_POP3S ? may.pop3
                                                      : may.smtp;
        if (!l || !wanted)
            continue;
        out[count++] = (struct setting){
            .door = l->door,
            .sends = doors[i].better == DOOR_SUBMISSIONS,
            .tls_first = config_door_is_tls(l->door),
            .is_second = doors[i].door != doors[i].better && listener_of(config, doors[i].better),
            .host = config_text(config, CONFIG_HOSTNAME),
            .port = l->port,
            .what = doors[i].what,
        };
    }
    return count;
}

struct slice setting_security(const struct setting *s)
{
    return s->tls_first ? S("SSL/TLS") : S("STARTTLS");
}

const struct setting *settings_find(const struct setting *settings, size_t count, enum config_door tls_door)
{
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < SETTINGS_MAX; d++)
            if (doors[d].door == settings[i].door && doors[d].better == tls_door && !settings[i].is_second)
                return &settings[i];
    return NULL;
}
