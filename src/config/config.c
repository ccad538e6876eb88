/* config.c - the values of a configuration, by key. */
#include "config/private.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

enum { CONFIG_MAGIC = 0x636f6e66 };

struct config_slot {
    struct config_value
        *values; /* of the arena: one, or room for LIMIT_CONFIG_REPEATS of a key that repeats */
    size_t count;
    bool set;
};
struct config {
    unsigned magic;
    struct arena arena;
    struct config_slot slots[CONFIG_KEYS];
};

static struct config_slot *slot_room(struct config *c, enum config_key key)
{
    struct config_slot *slot = &c->slots[key];
    if (!slot->values)
        slot->values =
            arena_array(&c->arena, config_row(key)->repeats ? LIMIT_CONFIG_REPEATS : 1, sizeof *slot->values);
    return slot;
}

struct config *config_new(void)
{
    struct config *c = NEW(struct config);
    c->magic = CONFIG_MAGIC;
    arena_init(&c->arena, LIMIT_CONFIG_ARENA);
    for (int i = 0; i < CONFIG_KEYS; i++) {
        const struct config_row *row = config_row((enum config_key)i);
        if (!row->preset)
            continue;
        struct slice at;
        enum fault fault = config_put(c, (enum config_key)i, slice_str(row->preset), &at);
        assert(fault == FAULT_NONE);
        c->slots[i].set = false;
    }
    return c;
}

void config_free(struct config **c)
{
    if (!*c)
        return;
    assert((*c)->magic == CONFIG_MAGIC);
    arena_done(&(*c)->arena);
    mem_free(c);
}

/* Two sockets on one port collide when their addresses are equal, or one of them is the wildcard of the other's family. */
static bool listeners_clash(const struct config_listener *a, const struct config_listener *b)
{
    static const struct ip any_v4 = {.b = {[10] = 0xff, [11] = 0xff}}, any_v6;
    if (a->port != b->port)
        return false;
    if (a->every || b->every || memcmp(&a->ip, &b->ip, sizeof a->ip) == 0)
        return true;
    if (ip_is_v4(&a->ip) != ip_is_v4(&b->ip))
        return false;
    const struct ip *any = ip_is_v4(&a->ip) ? &any_v4 : &any_v6;
    return memcmp(&a->ip, any, sizeof *any) == 0 || memcmp(&b->ip, any, sizeof *any) == 0;
}

static enum fault
repeat_check(const struct config_slot *slot, enum config_key key, const struct config_value *value)
{
    if (slot->count >= LIMIT_CONFIG_REPEATS)
        return FAULT_TOO_MANY;
    for (size_t i = 0; i < slot->count; i++) {
        const struct config_value *old = &slot->values[i];
        if (config_row(key)->type == CONFIG_TYPE_LISTEN && listeners_clash(&old->listener, &value->listener))
            return FAULT_CLASH;
        if (config_row(key)->type == CONFIG_TYPE_CERTIFICATE &&
            slice_eq(old->certificate.chain, value->certificate.chain))
            return FAULT_DOUBLED;
    }
    return FAULT_NONE;
}

enum fault config_put(struct config *c, enum config_key key, struct slice text, struct slice *ret_at)
{
    struct config_slot *slot = slot_room(c, key);
    struct config_value value;
    bool repeats = config_row(key)->repeats;
    assert(c->magic == CONFIG_MAGIC);
    *ret_at = text;
    if (!slot->values)
        return FAULT_TOO_MANY;
    if (slot->set && !repeats)
        return FAULT_DOUBLED;
    enum fault fault = value_parse(key, text, &c->arena, &value, ret_at);
    if (fault == FAULT_NONE && slot->set)
        fault = repeat_check(slot, key, &value);
    if (fault != FAULT_NONE)
        return fault;
    if (!slot->set)
        slot->count = 0; /* the default makes room */
    slot->values[slot->count++] = value;
    slot->set = true;
    return FAULT_NONE;
}

static enum err err_of_fault(enum fault fault)
{
    switch (fault) {
    case FAULT_NONE:
        return OK;
    case FAULT_DOUBLED:
    case FAULT_CLASH:
        return ERR_EXISTS;
    case FAULT_TOO_MANY:
        return ERR_LIMIT;
    default:
        return ERR_SYNTAX;
    }
}

fallible config_set_text(struct config *c, struct slice key, struct slice value)
{
    enum config_key found;
    struct slice at;
    TRY(config_key_find(key, &found));
    return err_of_fault(config_put(c, found, value, &at));
}

bool config_is_set(const struct config *c, enum config_key key)
{
    return c->slots[key].set;
}

size_t config_values(const struct config *c, enum config_key key)
{
    return c->slots[key].count;
}

static const struct config_value *value_at(const struct config *c, enum config_key key, size_t at)
{
    assert(c->magic == CONFIG_MAGIC && key < CONFIG_KEYS && at < c->slots[key].count);
    return &c->slots[key].values[at];
}

void config_put_value(const struct config *c, enum config_key key, size_t at, struct buf *out)
{
    value_put(key, value_at(c, key, at), out);
}

uint64_t config_number(const struct config *c, enum config_key key)
{
    enum config_type type = config_row(key)->type;
    assert(
        type == CONFIG_TYPE_COUNT || type == CONFIG_TYPE_DURATION || type == CONFIG_TYPE_SIZE ||
        type == CONFIG_TYPE_ENUM);
    return value_at(c, key, 0)->number;
}

bool config_is(const struct config *c, enum config_key key)
{
    assert(config_row(key)->type == CONFIG_TYPE_BOOLEAN);
    return value_at(c, key, 0)->number != 0;
}

struct slice config_text(const struct config *c, enum config_key key)
{
    enum config_type type = config_row(key)->type;
    assert(
        type == CONFIG_TYPE_HOSTNAME || type == CONFIG_TYPE_ENUM || type == CONFIG_TYPE_TEXT ||
        type == CONFIG_TYPE_PATH);
    return c->slots[key].count ? value_at(c, key, 0)->text : SLICE_EMPTY;
}

unsigned config_processes(const struct config *c, enum config_key key, unsigned cores)
{
    const struct config_row *row = config_row(key);
    assert(row->type == CONFIG_TYPE_COUNT_AUTO);
    uint64_t number = value_at(c, key, 0)->number;
    if (number == 0)
        number = key == CONFIG_KEEPERS ? 2ull * cores : cores;
    return (unsigned)(number < row->least ? row->least : number > row->most ? row->most : number);
}

const struct ip_net *config_networks(const struct config *c, enum config_key key, size_t *ret_count)
{
    assert(config_row(key)->type == CONFIG_TYPE_NETWORKS);
    *ret_count = value_at(c, key, 0)->network_count;
    return value_at(c, key, 0)->networks;
}

bool config_networks_have(const struct config *c, enum config_key key, const struct ip *ip)
{
    size_t count;
    const struct ip_net *nets = config_networks(c, key, &count);
    for (size_t i = 0; i < count; i++)
        if (ip_net_has(&nets[i], ip))
            return true;
    return false;
}

size_t config_listeners(const struct config *c)
{
    return config_values(c, CONFIG_LISTEN);
}

const struct config_listener *config_listener(const struct config *c, size_t at)
{
    return &value_at(c, CONFIG_LISTEN, at)->listener;
}

size_t config_certificates(const struct config *c)
{
    return config_values(c, CONFIG_CERTIFICATE);
}

const struct config_certificate *config_certificate(const struct config *c, size_t at)
{
    return &value_at(c, CONFIG_CERTIFICATE, at)->certificate;
}

const struct slice *config_words(const struct config *c, enum config_key key, size_t at, size_t *ret_count)
{
    enum config_type type = config_row(key)->type;
    assert(type == CONFIG_TYPE_WORDS || type == CONFIG_TYPE_ATTRIBUTE);
    const struct config_value *v = value_at(c, key, at);
    *ret_count = v->word_count;
    return v->words;
}

const struct config_directory *config_directory(const struct config *c)
{
    return c->slots[CONFIG_DIRECTORY].count ? &value_at(c, CONFIG_DIRECTORY, 0)->directory : NULL;
}

char config_plus_separator(const struct config *c)
{
    struct slice text = config_text(c, CONFIG_PLUS_SEPARATOR);
    return text.n == 1 ? text.p[0] : '\0';
}

fallible config_each(
    const struct config *c, unsigned roles, enum err (*each)(struct slice key, struct slice value, void *arg),
    void *arg)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_LINE * 2);
    for (int i = 0; i < CONFIG_KEYS; i++) {
        enum config_key key = (enum config_key)i;
        if (!(config_row(key)->roles & roles))
            continue;
        for (size_t at = 0; at < config_values(c, key); at++) {
            buf_clear(&text);
            config_put_value(c, key, at, &text);
            TRY(buf_check(&text));
            TRY(each(slice_str(config_row(key)->name), buf_slice(&text), arg));
        }
    }
    return OK;
}

static bool key_differs(const struct config *a, const struct config *b, enum config_key key)
{
    struct buf one CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_LINE * 2),
                   two CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_LINE * 2);
    if (config_values(a, key) != config_values(b, key))
        return true;
    for (size_t at = 0; at < config_values(a, key); at++) {
        buf_clear(&one);
        buf_clear(&two);
        config_put_value(a, key, at, &one);
        config_put_value(b, key, at, &two);
        if (!slice_eq(buf_slice(&one), buf_slice(&two)))
            return true;
    }
    return false;
}

void config_compare(
    const struct config *before, const struct config *after, struct config_changes *ret_changes)
{
    struct config_changes changes = {.count = {0}};
    for (int i = 0; i < CONFIG_KEYS; i++) {
        changes.changed[i] = key_differs(before, after, (enum config_key)i);
        changes.count[config_row((enum config_key)i)->effect] += changes.changed[i];
    }
    *ret_changes = changes;
}
