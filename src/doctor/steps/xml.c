#include "doctor/steps/xml.h"

#include <expat.h>

#include "base/buf.h"
#include "base/limits.h"

struct reading {
    XML_Parser parser;
    struct arena *arena;
    struct xml_node *root, *current;
    struct buf text; /* of the current element so far */
    size_t depth, nodes;
    enum err e;
};

static void stop(struct reading *r, enum err e)
{
    if (r->e == OK)
        r->e = e;
    XML_StopParser(r->parser, XML_FALSE);
}

static struct slice without_prefix(const char *name)
{
    struct slice s = slice_str(name);
    size_t colon = slice_rfind(s, ':');
    return colon == SLICE_NPOS ? s : slice_from(s, colon + 1);
}

static void add_attributes(struct reading *r, struct xml_node *n, const XML_Char **attributes)
{
    size_t count = 0;
    while (attributes[2 * count] && count < LIMIT_DOCTOR_XML_ATTRIBUTES)
        count++;
    if (!count)
        return;
    n->attributes = arena_array(r->arena, count, sizeof *n->attributes);
    for (size_t i = 0; n->attributes && i < count; i++)
        n->attributes[n->attribute_count++] = (struct xml_attribute){
            arena_copy(r->arena, without_prefix(attributes[2 * i])),
            arena_copy(r->arena, slice_trim(slice_str(attributes[2 * i + 1])))};
}

static void on_start(void *owner, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = owner;
    struct xml_node *n = NULL;
    if (r->e != OK) /* expat may still tell of an element after it was stopped */
        return;
    if (r->depth < LIMIT_DOCTOR_XML_DEPTH && r->nodes < LIMIT_DOCTOR_XML_NODES)
        n = ARENA_NEW(r->arena, struct xml_node);
    if (!n) {
        stop(r, ERR_LIMIT);
        return;
    }
    n->name = arena_copy(r->arena, without_prefix(name));
    n->parent = r->current;
    add_attributes(r, n, attributes);
    if (!r->current)
        r->root = n;
    else if (r->current->last)
        r->current->last->next = n;
    else
        r->current->first = n;
    if (r->current)
        r->current->last = n;
    r->current = n;
    r->depth++;
    r->nodes++;
    buf_clear(&r->text);
}

static void on_end(void *owner, const XML_Char *name)
{
    struct reading *r = owner;
    if (r->e != OK)
        return;
    if (!r->current->first)
        r->current->text = arena_copy(r->arena, slice_trim(buf_slice(&r->text)));
    buf_clear(&r->text);
    r->current = r->current->parent;
    r->depth--;
    if (arena_check(r->arena) != OK)
        stop(r, ERR_LIMIT);
}

static void on_text(void *owner, const XML_Char *text, int n)
{
    struct reading *r = owner;
    if (r->e != OK)
        return;
    buf_put(&r->text, slice_of(text, (size_t)n));
    if (buf_check(&r->text) != OK)
        stop(r, ERR_LIMIT);
}

static void on_document_type(
    void *owner, const XML_Char *name, const XML_Char *system, const XML_Char *public_, int has_internal)
{
    stop(owner, ERR_DENIED);
}

fallible xml_parse(struct slice file, struct arena *arena, const struct xml_node **ret_root)
{
    struct reading r = {
        .parser = XML_ParserCreate(NULL), .arena = arena, .text = BUF_INIT(LIMIT_DOCTOR_FETCH)};
    if (!r.parser)
        return ERR_MEMORY;
    if (file.n > LIMIT_DOCTOR_FETCH) {
        XML_ParserFree(r.parser);
        return ERR_LIMIT;
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_document_type);
    enum XML_Status status = XML_Parse(r.parser, file.n ? file.p : "", (int)file.n, XML_TRUE);
    XML_ParserFree(r.parser);
    buf_done(&r.text);
    if (r.e == OK && (status != XML_STATUS_OK || !r.root))
        r.e = ERR_SYNTAX;
    if (r.e == OK)
        r.e = arena_check(arena);
    if (r.e == OK)
        *ret_root = r.root;
    return r.e;
}

static const struct xml_node *named(const struct xml_node *n, struct slice name)
{
    while (n && !slice_eq(n->name, name))
        n = n->next;
    return n;
}

const struct xml_node *xml_first(const struct xml_node *n, const char *name)
{
    return n ? named(n->first, slice_str(name)) : NULL;
}

const struct xml_node *xml_next(const struct xml_node *n)
{
    return named(n->next, n->name);
}

struct slice xml_text(const struct xml_node *n, const char *name)
{
    const struct xml_node *found = xml_first(n, name);
    return found ? found->text : SLICE_EMPTY;
}

struct slice xml_attribute_of(const struct xml_node *n, const char *name)
{
    for (size_t i = 0; i < n->attribute_count; i++)
        if (slice_eq(n->attributes[i].name, slice_str(name)))
            return n->attributes[i].value;
    return SLICE_EMPTY;
}
