/* Rows T-118 to T-121 and T-123 of the threats: depth, number, ambiguity and size of what a message says it holds. */
#include <pthread.h>
#include <time.h>

#include "rows.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#ifdef SANITIZED
enum { SLOWER = 20 }; /* the sanitizers' share of the time */
#else
enum { SLOWER = 1 };
#endif

struct seen {
    unsigned parts, depth, opaque;
    uint32_t flags;
};

/* A parent's index is smaller than its children's, and each part is met once: no way back up the tree. */
static bool acyclic(const struct mime_tree *tree)
{
    uint32_t met = 0;
    for (const struct mime_part *part = tree->root; part; part = mime_part_next(part))
        if (part->index != met++ || (part->parent && part->parent->index >= part->index) ||
            met > LIMIT_MIME_PARTS)
            return false;
    return met == tree->parts;
}

/* Parses, serialises, reads back: within a second and the memory that limits.def allows. */
static bool survives(struct slice message, struct seen *ret_seen)
{
    memset(ret_seen, 0, sizeof *ret_seen);
    double start = seconds();
    struct mime_parser *parser = mime_new();
    for (size_t at = 0; at < message.n; at += 65536)
        mime_feed(parser, slice_sub(message, at, 65536));
    const struct mime_tree *tree = mime_finish(parser);
    CLEANUP_BUF struct buf row = BUF_INIT(LIMIT_MIME_ARENA / 2);
    struct structure s;
    bool good = acyclic(tree) && structure_put(&row, tree) == OK &&
                mime_memory(parser) + row.n <= LIMIT_MIME_ARENA &&
                structure_open(buf_slice(&row), &s) == OK && structure_check(&s) == OK;
    mime_free(&parser);
    struct structure_walk walk;
    struct structure_part part;
    enum structure_event event = STRUCTURE_ENTER;
    for (structure_walk_start(&walk, &s); good && event != STRUCTURE_END;) {
        good = structure_walk_next(&walk, &event, &part) == OK;
        if (!good || event != STRUCTURE_ENTER)
            continue;
        ret_seen->parts++;
        ret_seen->opaque += (part.flags & MIME_OPAQUE) > 0;
        if (part.depth > ret_seen->depth)
            ret_seen->depth = part.depth;
    }
    ret_seen->flags = good ? s.flags : 0;
    double took = seconds() - start;
    if (took > 1.0 * SLOWER)
        print_message("took %.2f s\n", took);
    return good && took <= 1.0 * SLOWER && ret_seen->depth <= LIMIT_MIME_DEPTH &&
           ret_seen->parts <= LIMIT_MIME_PARTS;
}

/* ---- T-118 ---- */

static void nest(struct buf *out, int levels, const char *(*level)(int i, char *text))
{
    char text[500];
    for (int i = 0; i < levels; i++)
        buf_put_str(out, level(i, text));
    buf_put_str(out, "the end\r\n");
}

static const char *level_multipart(int i, char *text)
{
    snprintf(text, 400, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i);
    return text;
}
static const char *level_same_boundary(int i, char *text)
{
    (void)i;
    return strcpy(text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
}
static const char *level_message(int i, char *text)
{
    (void)i;
    return strcpy(text, "Content-Type: message/rfc822\r\n\r\n");
}
static const char *level_alternating(int i, char *text)
{
    return i % 2 ? level_message(i, text) : level_multipart(i, text);
}
static const char *level_pkcs7(int i, char *text)
{
    snprintf(
        text, 400,
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
        "boundary=p%d\r\n\r\n--p%d\r\n",
        i, i);
    return text;
}
static const char *level_digest(int i, char *text)
{
    snprintf(text, 400, "Content-Type: multipart/digest; boundary=d%d\r\n\r\n--d%d\r\n\r\n", i, i);
    return text;
}
static const char *level_prefix(int i, char *text) /* each boundary begins with the one before */
{
    char dashes[160];
    size_t n = i < 150 ? (size_t)i + 1 : 151;
    memset(dashes, 'a', n);
    dashes[n] = 0;
    snprintf(text, 500, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", dashes, dashes);
    return text;
}
static const char *level_no_header(int i, char *text)
{
    snprintf(text, 400, "Content-Type: multipart/related; boundary=r%d\r\n\r\npreamble\r\n--r%d\r\n", i, i);
    return text;
}

static void *t118_on_small_stack(void *arg)
{
    struct cases *c = arg;
    static const struct {
        const char *name;
        const char *(*level)(int, char *);
    } kinds[] = {{"multipart", level_multipart}, {"same boundary", level_same_boundary},
                 {"message", level_message},     {"alternating", level_alternating},
                 {"pkcs7", level_pkcs7},         {"digest", level_digest},
                 {"prefixes", level_prefix},     {"preambles", level_no_header}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        static const int depths[] = {99, 100, 101, 10000};
        for (size_t i = 0; i < 4; i++) {
            struct buf in = BUF_INIT(8 << 20);
            struct seen seen;
            nest(&in, depths[i], kinds[k].level);
            bool good = survives(buf_slice(&in), &seen);
            bool same_boundary = kinds[k].level == level_same_boundary; /* the innermost of equals counts */
            if (depths[i] > 101 && !same_boundary)
                good &= seen.depth == LIMIT_MIME_DEPTH && seen.opaque == 1 && (seen.flags & MIME_TRUNCATED);
            if (depths[i] < 100 && kinds[k].level != level_digest)
                good &= seen.opaque == 0 && (same_boundary || seen.depth == (unsigned)depths[i]);
            cases_check(c, good, kinds[k].name);
            buf_done(&in);
        }
    }
    return NULL;
}

static void t118_depth(void **unused)
{
    (void)unused;
    struct cases c = {"T-118", 0, 0};
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    assert_int_equal(0, pthread_attr_setstacksize(&attr, 256 * 1024 * (SLOWER > 1 ? 4 : 1)));
    assert_int_equal(0, pthread_create(&thread, &attr, t118_on_small_stack, &c));
    pthread_join(thread, NULL);
    cases_end(&c, 20);
}

/* ---- T-119 ---- */

static double time_of(struct slice head, struct slice piece, size_t times, struct seen *ret_seen, bool *good)
{
    CLEANUP_BUF struct buf in = BUF_INIT(256 << 20);
    buf_put(&in, head);
    for (size_t i = 0; i < times; i++)
        buf_put(&in, piece);
    double start = seconds();
    *good &= survives(buf_slice(&in), ret_seen);
    return seconds() - start;
}

static void t119_parts(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        struct slice head, piece;
        size_t times;
        bool many; /* more than the limit allows */
    } rows[] = {
        {"a million empty parts", S("Content-Type: multipart/mixed; boundary=b\r\n\r\n"), S("--b\r\n"),
         1000000, true},
        {"parts of one octet", S("Content-Type: multipart/mixed; boundary=b\r\n\r\n"), S("--b\r\n\r\nx\r\n"),
         300000, true},
        {"digest", S("Content-Type: multipart/digest; boundary=b\r\n\r\n"), S("--b\r\n\r\n\r\nx\r\n"), 300000,
         true},
        {"boundaries on one line", S("Content-Type: multipart/mixed; boundary=b\r\n\r\n"), S("--b"), 300000,
         false},
        {"nearly boundaries", S("Content-Type: multipart/mixed; boundary=b\r\n\r\n"), S("--bb\r\n"), 1000000,
         false},
        {"dashes", S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"), S("--\r\n"), 3000000,
         false},
        {"closed again and again", S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
         S("--b--\r\n"), 1000000, false},
        {"headers of parts", S("Content-Type: multipart/mixed; boundary=b\r\n\r\n"),
         S("--b\r\nContent-Type: text/plain; name=x\r\nContent-ID: <a>\r\n"), 100000, true},
    };
    struct cases c = {"T-119", 0, 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen;
        bool good = true;
        double once = 1e9, twice = 1e9;
        for (int round = 0; round < 3; round++) { /* the best of three: other programs run here, too */
            double t = time_of(rows[i].head, rows[i].piece, rows[i].times / 2, &seen, &good);
            once = t < once ? t : once;
            t = time_of(rows[i].head, rows[i].piece, rows[i].times, &seen, &good);
            twice = t < twice ? t : twice;
        }
        good &= twice <= 2.5 * once + 0.005 * SLOWER;
        if (rows[i].many)
            good &= seen.parts == LIMIT_MIME_PARTS && seen.opaque == 1 && (seen.flags & MIME_TRUNCATED);
        else
            good &= seen.parts <= 2 && seen.opaque == 0;
        cases_check(&c, good, rows[i].name);
    }
    /* depth and number together: a hundred open boundaries asked for each line */
    CLEANUP_BUF struct buf in = BUF_INIT(64 << 20);
    nest(&in, 100, level_multipart);
    for (size_t i = 0; i < 1000000 / SLOWER; i++)
        buf_put_str(&in, "--bx\r\n");
    struct seen seen;
    cases_check(&c, survives(buf_slice(&in), &seen), "a hundred open boundaries");
    cases_end(&c, 6);
}

/* ---- T-120 ---- */

#define TYPE "Content-Type: multipart/mixed; "
#define TWO "\r\n\r\n--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n"
#define PAIR "multipart/mixed(text/plain text/plain)"
#define Z10 "zzzzzzzzzz"
#define Z70 Z10 Z10 Z10 Z10 Z10 Z10 Z10
#define Z100 Z70 Z10 Z10 Z10

static void t120_boundaries(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in;
        const char *shape;
        bool ambiguous;
    } rows[] = {
        /* what is plain stays plain */
        {S(TYPE "boundary=b" TWO), PAIR, false},
        {S(TYPE "boundary=\"b\"" TWO), PAIR, false},
        {S(TYPE "boundary=b;" TWO), PAIR, false},
        {S(TYPE "boundary=b (comment)" TWO), PAIR, false},
        {S(TYPE "(comment) boundary = b" TWO), PAIR, false},
        {S(TYPE "boundary=b\r\n\r\npre\r\n--b \t\r\n\r\n1\r\n--b--  \r\nepi\r\n"),
         "multipart/mixed(text/plain)", false},
        {S(TYPE "boundary=\"b b\"\r\n\r\n--b b\r\n\r\n1\r\n--b b--\r\n"), "multipart/mixed(text/plain)",
         false},
        {S(TYPE "boundary=" Z70 "\r\n\r\n--" Z70 "\r\n\r\n1\r\n--" Z70 "--\r\n"),
         "multipart/mixed(text/plain)", false},
        /* two parameters: the first counts */
        {S(TYPE "boundary=b; boundary=c" TWO), PAIR, true},
        {S(TYPE "boundary=c; boundary=b" TWO), "text/plain", true},
        {S(TYPE "boundary=b; BOUNDARY=c" TWO), PAIR, true},
        {S(TYPE "boundary=\"b\"; boundary=\"b\"" TWO), PAIR, true},
        {S(TYPE "boundary*=us-ascii''b" TWO), PAIR, true},
        {S(TYPE "boundary*=us-ascii''%62" TWO), PAIR, true},
        {S(TYPE "boundary*=b" TWO), PAIR, true},
        {S(TYPE "boundary*0=b" TWO), PAIR, true},
        {S(TYPE "boundary*0=\"\"; boundary*1=b" TWO), PAIR, true},
        {S(TYPE "boundary*1=b" TWO), "text/plain", true},
        {S(TYPE "boundary=b; boundary*=us-ascii''c" TWO), PAIR, true},
        {S(TYPE "boundary*=us-ascii''c; boundary=b" TWO), PAIR, true},
        {S(TYPE "boundary*0=c; boundary=b" TWO), "text/plain", true},
        /* empty, long, odd */
        {S(TYPE "boundary=" TWO), "text/plain", true},
        {S(TYPE "boundary=\"\"\r\n\r\n--\r\n\r\n1\r\n----\r\n"), "text/plain", true},
        {S(TYPE "boundary=\" \"\r\n\r\n-- \r\n\r\n1\r\n"), "text/plain", true},
        {S(TYPE "boundary" TWO), "text/plain", true},
        {S(TYPE "x=b" TWO), "text/plain", true},
        {S("Content-Type: multipart/mixed" TWO), "text/plain", true},
        {S("Content-Type: multipart/" TWO), "text/plain", true},
        {S("Content-Type: multipart" TWO), "text/plain", true},
        {S(TYPE "boundary=" Z70 "z\r\n\r\n--" Z70 "z\r\n\r\n1\r\n--" Z70 "z--\r\n"),
         "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=" Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100
                "\r\n\r\n--" Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100
                "\r\n\r\n1\r\n--" Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 "--\r\n"),
         "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=" Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100
                "z\r\n\r\n--" Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 Z100 "z\r\n\r\n1\r\n"),
         "text/plain", true},
        {S(TYPE "boundary=\"b \"" TWO), PAIR, true},
        {S(TYPE "boundary=\"b\t\"" TWO), PAIR, true},
        {S(TYPE "boundary=\"b\0\"\r\n\r\n--b\0\r\n\r\n1\r\n--b\0--\r\n"), "multipart/mixed(text/plain)",
         true},
        {S(TYPE "boundary=\"b\0\"" TWO), "text/plain", true},
        {S(TYPE "boundary=b\xc3\xa9\r\n\r\n--b\xc3\xa9\r\n\r\n1\r\n--b\xc3\xa9--\r\n"),
         "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=\"b(c)\"\r\n\r\n--b(c)\r\n\r\n1\r\n--b(c)--\r\n"), "multipart/mixed(text/plain)",
         false},
        {S(TYPE "boundary=b(c)d" TWO), "text/plain", true},
        {S(TYPE "boundary=\"b" TWO), PAIR, true},
        {S(TYPE "boundary='b'" TWO), "text/plain", true},
        {S(TYPE "boundary=\"\\b\"" TWO), PAIR, false},
        {S(TYPE "boundary=\"b\"c" TWO), PAIR, true},
        {S(TYPE "boundary=b c" TWO), "text/plain", true},
        {S(TYPE "boundary=b,c" TWO), "text/plain", true},
        {S(TYPE "boundary=a=b\r\n\r\n--a=b\r\n\r\n1\r\n--a=b--\r\n"), "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=\"=?us-ascii?q?b?=\"" TWO), "text/plain", true},
        {S(TYPE "boundary=\"b\r\n c\"\r\n\r\n--b c\r\n\r\n1\r\n--b c--\r\n"), "multipart/mixed(text/plain)",
         false},
        /* one in the other */
        {S(TYPE "boundary=a\r\n\r\n--a\r\n" TYPE "boundary=aa\r\n\r\n--aa\r\n\r\n1\r\n--aa--\r\n--a--\r\n"),
         "multipart/mixed(multipart/mixed(text/plain))", true},
        {S(TYPE "boundary=aa\r\n\r\n--aa\r\n" TYPE "boundary=a\r\n\r\n--a\r\n\r\n1\r\n--a--\r\n--aa--\r\n"),
         "multipart/mixed(multipart/mixed(text/plain))", true},
        {S(TYPE "boundary=a\r\n\r\n--a\r\n" TYPE
                "boundary=a--\r\n\r\n--a--\r\n\r\n1\r\n--a----\r\n--a--\r\n"),
         "multipart/mixed(multipart/mixed(text/plain))", true},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n" TYPE "boundary=b" TWO), "multipart/mixed(" PAIR ")", true},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n--b\r\n\r\n2\r\n--b--\r\n"),
         "multipart/mixed(text/plain)", true},
        /* missing, misplaced, misspelt delimiters */
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\r\n"), "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=b\r\n\r\n"), "text/plain", true},
        {S(TYPE "boundary=b\r\n--b\r\n\r\n1\r\n--b--\r\n"), "multipart/mixed(text/plain)", true},
        {S("--b\r\n" TYPE "boundary=b" TWO), "text/plain", true},
        {S(TYPE "boundary=b\n\n--b\n\n1\n--b--\n"), "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\n--b\r\n\r\n2\r\n--b--\r\n"), PAIR, true},
        {S(TYPE "boundary=b\r\n\r\n--b\n\r\n1\r\n--b--\r\n"), "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=b\r\n\r\n--b text\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n"),
         "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--text\r\n--b--\r\n"), "multipart/mixed(text/plain)",
         true},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b-\r\n--b--\r\n"), "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\r\n --b\r\n--b--\r\n"), "multipart/mixed(text/plain)", false},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\r--b\r\n\r\n2\r\n--b--\r\n"), "multipart/mixed(text/plain)",
         false},
        /* fields */
        {S(TYPE "boundary=b\r\nContent-Type: text/plain" TWO), PAIR, true},
        {S("Content-Type: text/plain\r\n" TYPE "boundary=b" TWO), "text/plain", true},
        {S("Content-Type : multipart/mixed; boundary=b" TWO), PAIR, true},
        {S(TYPE "boundary=b\r\nX: y\r\nnot a field\r\n--b\r\n\r\n1\r\n--b--\r\n"),
         "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\nContent-Type: text/html\r\n\r\n2\r\n"),
         "multipart/mixed(text/plain)", true},
        {S(TYPE "boundary=b\r\nContent-Transfer-Encoding: base64" TWO), PAIR, true},
        {S("Content-Type: multipart/mixed boundary=b" TWO), "text/plain", true},
        {S("Content-Type: multipart/mixed;\r\n\tboundary=b" TWO), PAIR, false},
        {S("content-type:MULTIPART/Mixed;BOUNDARY=b" TWO), "MULTIPART/Mixed(text/plain text/plain)", false},
    };
    struct cases c = {"T-120", 0, 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct structure s;
        struct buf row;
        CLEANUP_BUF struct buf shape = BUF_INIT(10000);
        bool good = row_open(rows[i].in, &row, &s);
        if (good)
            shape_put(&s, &shape);
        good = good && slice_eq(buf_slice(&shape), slice_str(rows[i].shape)) &&
               rows[i].ambiguous == ((s.flags & MIME_AMBIGUOUS) != 0);
        cases_check(&c, good, rows[i].in.p);
        if (!good)
            print_message("  gave %.*s flags %x\n", SLICE_ARG(buf_slice(&shape)), s.flags);
        buf_done(&row);
    }
    cases_end(&c, 60);
}

/* ---- T-121, the fields; the decoders' cases are in test_charset.c ---- */

static void t121_fields(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in;
        enum encoding encoding;
        bool ambiguous;
    } rows[] = {
        {S("Content-Transfer-Encoding: base64\r\n\r\n"), ENCODING_BASE64, false},
        {S("Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"), ENCODING_BASE64,
         true},
        {S("Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n"), ENCODING_7BIT,
         true},
        {S("Content-Transfer-Encoding: base64 (no)\r\n\r\n"), ENCODING_BASE64, true},
        {S("Content-Transfer-Encoding: (yes) base64\r\n\r\n"), ENCODING_BASE64, true},
        {S("Content-Transfer-Encoding: base64;\r\n\r\n"), ENCODING_BASE64, true},
        {S("Content-Transfer-Encoding: base64, 7bit\r\n\r\n"), ENCODING_BASE64, true},
        {S("Content-Transfer-Encoding: \"base64\"\r\n\r\n"), ENCODING_UNKNOWN, true},
        {S("Content-Transfer-Encoding: base 64\r\n\r\n"), ENCODING_UNKNOWN, true},
        {S("Content-Transfer-Encoding: x-foo\r\n\r\n"), ENCODING_UNKNOWN, true},
        {S("Content-Transfer-Encoding: x-uuencode\r\n\r\n"), ENCODING_UNKNOWN, true},
        {S("Content-Transfer-Encoding : base64\r\n\r\n"), ENCODING_BASE64, true},
        {S("Content-Transfer-Encoding:\r\n base64\r\n\r\n"), ENCODING_BASE64, false},
        {S("Content-Transfer-Encoding:\r\n\r\n"), ENCODING_UNKNOWN, true},
        {S("Content-Transfer-Encoding: BASE64\r\n\r\n"), ENCODING_BASE64, false},
        {S("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"), ENCODING_BASE64,
         true},
    };
    struct cases c = {"T-121", 0, 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct structure s;
        struct structure_part part;
        struct buf row;
        bool good = row_open(rows[i].in, &row, &s) && part_of(&s, S(""), &part) == OK &&
                    part.encoding == rows[i].encoding &&
                    rows[i].ambiguous == ((s.flags & MIME_AMBIGUOUS) != 0);
        cases_check(&c, good, rows[i].in.p);
        buf_done(&row);
    }
    cases_end(&c, 16);
}

/* ---- T-123 ---- */

static void fill(struct buf *out, const char *head, const char *piece, size_t times, const char *tail)
{
    buf_put_str(out, head);
    size_t n = strlen(piece);
    for (size_t i = 0; i < times; i++)
        buf_put(out, slice_of(piece, n));
    buf_put_str(out, tail);
}

static void t123_headers(void **unused)
{
    (void)unused;
    static const struct {
        const char *name, *head, *piece;
        size_t times;
        const char *tail;
        bool refused; /* by the reader of arriving mail, with ERR_LIMIT: 552 5.3.4 */
        bool truncated;
    } rows[] = {
        {"500,000 To", "", "To: a@b\r\n", 500000, "\r\nbody\r\n", true, true},
        {"one field of 50 MiB", "To: ", "0123456789", 5242880, "\r\n\r\nbody\r\n", true, true},
        {"a million addresses", "To: ", "a@b.test,", 1000000, "\r\n\r\nbody\r\n", true, true},
        {"addresses, folded", "To: ", "a@b.test,\r\n ", 1000000, "\r\n\r\nbody\r\n", true, true},
        {"100,000 Received", "", "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n", 100000,
         "\r\nbody\r\n", true, true},
        {"1 MiB without colon", "", "0123456789abcdef", 65536, "\r\n\r\nbody\r\n", false, false},
        {"1 MiB of lines without colon", "", "0123456789abcde\r\n", 65536, "\r\n\r\nbody\r\n", false, false},
        {"1 MiB of continuations", "X: y\r\n", " \r\n", 349526, "\r\nbody\r\n", true, true},
        {"continuations of nothing", "", " x\r\n", 500000, "\r\nbody\r\n", true, false},
        {"lines of colons", "", ":\r\n", 500000, "\r\nbody\r\n", true, false},
        {"a field name of 1 MiB", "", "aaaaaaaaaaaaaaaa", 65536, ": x\r\n\r\nbody\r\n", false, false},
        {"parameters", "Content-Type: text/plain", "; a=b", 200000, "\r\n\r\nbody\r\n", true, true},
        {"1000 fields", "", "To: a@b\r\n", 1000, "\r\nbody\r\n", false, false},
        {"1001 fields", "", "To: a@b\r\n", 1001, "\r\nbody\r\n", true, true},
        {"no end", "", "To: a@b\r\n", 500000, "", true, true},
        {"encoded-words", "Subject: ", "=?utf-8?q?a?= ", 200000, "\r\n\r\nbody\r\n", true, true},
    };
    struct cases c = {"T-123", 0, 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP_BUF struct buf in = BUF_INIT(64 << 20);
        fill(&in, rows[i].head, rows[i].piece, rows[i].times, rows[i].tail);
        struct seen seen;
        bool good =
            survives(buf_slice(&in), &seen) && rows[i].truncated == ((seen.flags & MIME_TRUNCATED) != 0);
        cases_check(&c, good, rows[i].name);
        struct header_reader r;
        header_reader_init(&r);
        enum err e = OK;
        for (size_t at = 0, used = 0; at < in.n && e == OK && !r.done; at += used)
            e = header_reader_feed(&r, slice_sub(buf_slice(&in), at, 16384), &used);
        cases_check(&c, e == (rows[i].refused ? ERR_LIMIT : OK), rows[i].name);
        header_reader_done(&r);
    }
    /* the arena's ceiling: thousands of parts, each with as long a field as is allowed */
    CLEANUP_BUF struct buf in = BUF_INIT(64 << 20), field = BUF_INIT(1 << 20);
    fill(&field, "--b\r\nContent-Description: ", "0123456789", 1000, "\r\n\r\n");
    fill(&in, "Content-Type: multipart/mixed; boundary=b\r\n\r\n", buf_cstr(&field), 4000, "--b--\r\n");
    struct seen seen;
    cases_check(
        &c, survives(buf_slice(&in), &seen) && (seen.flags & MIME_TRUNCATED), "40 MB of descriptions");
    cases_end(&c, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t118_depth),  cmocka_unit_test(t119_parts),   cmocka_unit_test(t120_boundaries),
        cmocka_unit_test(t121_fields), cmocka_unit_test(t123_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
