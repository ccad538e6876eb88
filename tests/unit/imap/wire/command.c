/* Commands to words: the examples of RFC 3501, 2342, 2971, 4315, 4959, 5161, 5258, 6154, 6851 and 7162, and what is none. */
#include "cases.h"
#include "test.h"

#include "imap/wire/command.h"
#include "imap/wire/sets.h"

static struct arena mem;

static const struct imap_command *parse(struct slice text)
{
    static struct imap_command c;
    arena_clear(&mem);
    if (imap_command_parse(text, &imap_limits_session, false, &mem, &c) != OK)
        fail_msg("%.*s: %s", SLICE_ARG(text), c.problem);
    return &c;
}

static enum err wrong(struct slice text)
{
    struct imap_command c;
    arena_clear(&mem);
    enum err e = imap_command_parse(text, &imap_limits_session, false, &mem, &c);
    if (e != OK)
        assert_non_null(c.problem);
    return e;
}

static int start(void **state)
{
    arena_init(&mem, 4 << 20);
    return 0;
}

static int stop(void **state)
{
    arena_done(&mem);
    return 0;
}

/* The verb of a command without arguments, whether it may be without or not. */
static const struct imap_verb *verb_of(const char *name)
{
    char line[100];
    struct imap_command c;
    arena_clear(&mem);
    snprintf(line, sizeof line, "a %s", name);
    enum err e = imap_command_parse(slice_str(line), &imap_limits_session, false, &mem, &c);
    assert_true(e == OK || e == ERR_SYNTAX);
    return c.verb;
}

static void test_table(void **state)
{
    for (size_t i = 0; i < IMAP_VERBS; i++) {
        assert_int_equal(imap_verbs[i].id, i);
        assert_ptr_equal(verb_of(imap_verbs[i].name), &imap_verbs[i]);
        assert_true(i == 0 || strcmp(imap_verbs[i - 1].name, imap_verbs[i].name) < 0);
        assert_true(imap_verbs[i].states != 0 && imap_verbs[i].rfc[0]);
        /* what may change sequence numbers must not promise to keep them */
        assert_false(
            (imap_verbs[i].flags & IMAP_VERB_NO_EXPUNGE) && (imap_verbs[i].flags & IMAP_VERB_BREAKS_SEQ));
    }
}

static void test_plain_commands(void **state)
{
    const struct imap_command *c = parse(S("a001 CAPABILITY"));
    assert_slice("a001", c->tag);
    assert_int_equal(c->verb->id, IMAP_VERB_CAPABILITY_ID);
    assert_int_equal(parse(S("A1 noop"))->verb->id, IMAP_VERB_NOOP_ID);
    assert_int_equal(parse(S("A1 uid expunge 3000:3002"))->verb->id, IMAP_VERB_UID_EXPUNGE_ID);
    assert_err(ERR_SYNTAX, wrong(S("A1 NOOP ")));
    assert_err(ERR_SYNTAX, wrong(S("A1 NOOP x")));
    assert_err(ERR_SYNTAX, wrong(S("A1  NOOP")));
    assert_err(ERR_SYNTAX, wrong(S("A1")));
    assert_err(ERR_SYNTAX, wrong(S("")));
    assert_err(ERR_SYNTAX, wrong(S(" NOOP")));
    assert_err(ERR_SYNTAX, wrong(S("+ NOOP")));
    assert_err(ERR_SYNTAX, wrong(S("a UID NOOP")));
    assert_err(ERR_SYNTAX, wrong(S("a UID  FETCH 1 UID")));
    assert_err(ERR_SYNTAX, wrong(S("a XAPPLEPUSHSERVICE")));
}

static void test_failure_keeps_tag_and_verb(void **state)
{
    struct imap_command c;
    arena_clear(&mem);
    assert_err(ERR_SYNTAX, imap_command_parse(S("a7 LOGIN x"), &imap_limits_preauth, false, &mem, &c));
    assert_slice("a7", c.tag);
    assert_int_equal(c.verb->id, IMAP_VERB_LOGIN_ID);
    assert_err(ERR_SYNTAX, imap_command_parse(S("a8 WHAT x"), &imap_limits_preauth, false, &mem, &c));
    assert_slice("a8", c.tag);
    assert_null(c.verb);
}

static void test_sign_in(void **state)
{
    const struct imap_command *c = parse(S("a LOGIN SMITH SESAME"));
    assert_slice("SMITH", c->login.user);
    assert_slice("SESAME", c->login.secret);
    c = parse(S("a LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man"));
    assert_slice("FRED FOOBAR", c->login.user);
    assert_slice("fat man", c->login.secret);
    c = parse(S("a LOGIN \"a\\\"b\\\\c\" \"\""));
    assert_slice("a\"b\\c", c->login.user);
    assert_slice("", c->login.secret);
    c = parse(S("a AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q="));
    assert_slice("PLAIN", c->authenticate.mechanism);
    assert_true(c->authenticate.has_initial);
    assert_slice("dGVzdAB0ZXN0AHRlc3Q=", c->authenticate.initial);
    c = parse(S("a AUTHENTICATE EXTERNAL ="));
    assert_true(c->authenticate.has_initial && c->authenticate.initial.n == 0);
    assert_false(parse(S("a AUTHENTICATE PLAIN"))->authenticate.has_initial);
    assert_err(ERR_SYNTAX, wrong(S("a AUTHENTICATE PLAIN  x")));
}

/* T-157: what no string may hold. */
static void test_t157_octets_that_are_refused(void **state)
{
    struct cases cases = {.id = "T-157"};
    static const struct slice rows[] = {
        {"a LOGIN \"ali\0ce\" x", 18}, {"a LOGIN ali\0ce x", 16},      {"a LOGIN \"a\rb\" x", 15},
        {"a LOGIN \"a\nb\" x", 15},    {"a LOGIN \"\xc3\xa9\" x", 14}, {"a LOGIN \xc3\xa9 x", 12},
        {"a LOGIN \"a x", 12},         {"a LOGIN \"a\\", 11},          {"a LOGIN \"a\\n\" x", 15},
        {"a LOGIN {3}\r\na\0b x", 18}, {"a LOGIN {9}\r\nabc x", 18},   {"a LOGIN a\tb x", 13},
        {"a LOGIN (a) x", 13},         {"a LOGIN a%b x", 13},          {"a\x01 NOOP", 7},
        {"a LOGIN {3}x", 12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cases_check(&cases, wrong(rows[i]) == ERR_SYNTAX, rows[i].p);
    cases_end(&cases, 16);
}

static void test_mailboxes(void **state)
{
    const struct imap_command *c = parse(S("A142 SELECT inbox"));
    assert_slice("INBOX", c->select.mailbox.name);
    assert_false(c->select.condstore);
    c = parse(S("A142 SELECT InBox/sub (CONDSTORE)"));
    assert_slice("INBOX/sub", c->select.mailbox.name);
    assert_true(c->select.condstore);
    assert_slice("inboxes", parse(S("A SELECT inboxes"))->select.mailbox.name);
    assert_slice("Entw\xc3\xbcrfe", parse(S("A CREATE Entw&APw-rfe"))->mailbox.name);
    assert_false(parse(S("A CREATE &Jjo"))->mailbox.valid);
    assert_false(parse(S("A CREATE {2}\r\n\xc3\xa9"))->mailbox.valid);
    c = parse(S("A683 RENAME blurdybloop sarasoop"));
    assert_slice("blurdybloop", c->rename.from.name);
    assert_slice("sarasoop", c->rename.to.name);
    c = parse(S("A042 STATUS blurdybloop (UIDNEXT MESSAGES HIGHESTMODSEQ)"));
    assert_int_equal(c->status.items, IMAP_STATUS_UIDNEXT | IMAP_STATUS_MESSAGES | IMAP_STATUS_HIGHESTMODSEQ);
    assert_err(ERR_SYNTAX, wrong(S("a STATUS x ()")));
    assert_err(ERR_SYNTAX, wrong(S("a STATUS x (WHAT)")));
    assert_err(ERR_SYNTAX, wrong(S("a SELECT x (QRESYNC (1 2))")));
}

static void test_list(void **state)
{
    const struct imap_command *c = parse(S("A101 LIST \"\" \"\""));
    assert_false(c->list.extended);
    assert_int_equal(c->list.patterns_n, 1);
    assert_slice("", c->list.patterns[0].name);
    c = parse(S("A202 LIST ~/Mail/ %"));
    assert_slice("~/Mail/", c->list.reference.name);
    assert_slice("%", c->list.patterns[0].name);
    c = parse(S("a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"INBOX\" Drafts Sent/%) RETURN (CHILDREN "
                "SPECIAL-USE STATUS (MESSAGES UNSEEN))"));
    assert_true(c->list.extended);
    assert_int_equal(c->list.select, IMAP_LIST_SUBSCRIBED | IMAP_LIST_RECURSIVEMATCH);
    assert_int_equal(c->list.give, IMAP_LIST_CHILDREN | IMAP_LIST_SPECIAL_USE | IMAP_LIST_STATUS);
    assert_int_equal(c->list.status_items, IMAP_STATUS_MESSAGES | IMAP_STATUS_UNSEEN);
    assert_int_equal(c->list.patterns_n, 3);
    assert_slice("Sent/%", c->list.patterns[2].name);
    assert_true(parse(S("a LIST () \"\" % RETURN ()"))->list.extended);
    assert_slice("#news.comp.mail.misc", parse(S("A LSUB \"\" #news.comp.mail.misc"))->list.patterns[0].name);
    assert_err(ERR_SYNTAX, wrong(S("a LIST (RECURSIVEMATCH) \"\" %")));
    assert_err(ERR_SYNTAX, wrong(S("a LIST \"\"")));
    assert_err(ERR_SYNTAX, wrong(S("a LSUB \"\" (a b)")));
    assert_err(ERR_LIMIT, wrong(S("a LIST \"\" *a*a*a*a*a*a*a*a*a*a*b")));
}

static void test_append(void **state)
{
    const struct imap_command *c =
        parse(S("A003 APPEND saved-messages (\\Seen $Forwarded) \"17-Jul-1996 02:44:25 -0700\" "));
    assert_slice("saved-messages", c->append.mailbox.name);
    assert_int_equal(c->append.flags.system, IMAP_FLAG_SEEN);
    assert_int_equal(c->append.flags.keywords_n, 1);
    assert_slice("$Forwarded", c->append.flags.keywords[0]);
    assert_true(c->append.has_date);
    assert_int_equal(c->append.date, 837596665);
    c = parse(S("A APPEND {5}\r\nINBOX "));
    assert_slice("INBOX", c->append.mailbox.name);
    assert_false(c->append.has_date);
    c = parse(S("A APPEND INBOX () \" 1-Jan-2020 00:00:00 +0000\" "));
    assert_int_equal(c->append.date, 1577836800);
    assert_err(ERR_SYNTAX, wrong(S("A APPEND INBOX")));
    assert_err(ERR_SYNTAX, wrong(S("A APPEND INBOX \"99-Feb-9999 00:00:00 +0000\" ")));
    assert_err(ERR_SYNTAX, wrong(S("A APPEND INBOX (\\Recent) ")));
    assert_err(ERR_SYNTAX, wrong(S("A APPEND INBOX (\\Foo) ")));
    assert_err(ERR_SYNTAX, wrong(S("A APPEND INBOX x")));
}

static void test_store(void **state)
{
    const struct imap_command *c = parse(S("A003 STORE 2:4 +FLAGS (\\Deleted)"));
    assert_int_equal(c->store.how, IMAP_STORE_ADD);
    assert_int_equal(c->store.flags.system, IMAP_FLAG_DELETED);
    assert_false(c->store.silent);
    c = parse(
        S("a103 UID STORE 6,4,8 (UNCHANGEDSINCE 12121230045) -FLAGS.SILENT \\Seen $Phishing $phishing"));
    assert_int_equal(c->verb->id, IMAP_VERB_UID_STORE_ID);
    assert_true(c->store.has_unchanged_since && c->store.unchanged_since == 12121230045);
    assert_true(c->store.silent);
    assert_int_equal(c->store.how, IMAP_STORE_REMOVE);
    assert_int_equal(c->store.flags.keywords_n, 1);
    c = parse(S("a STORE 1 FLAGS ()"));
    assert_int_equal(c->store.how, IMAP_STORE_SET);
    assert_int_equal(c->store.flags.system | c->store.flags.keywords_n, 0);
    assert_true(parse(S("a STORE 1 (UNCHANGEDSINCE 0) FLAGS a"))->store.has_unchanged_since);
    assert_err(ERR_SYNTAX, wrong(S("a STORE 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS a"))); /* T-170 */
    assert_err(ERR_SYNTAX, wrong(S("a STORE 1 FLAGS")));
    assert_err(ERR_SYNTAX, wrong(S("a STORE 1 FLAGS (\\Recent)")));
    assert_err(ERR_SYNTAX, wrong(S("a STORE 1 FLAGS (a  b)")));
    assert_err(ERR_SYNTAX, wrong(S("a STORE 0 FLAGS (a)")));
    assert_err(ERR_SYNTAX, wrong(S("a STORE 1 FLAGS (a]b)")));
}

static void section_is(struct slice command, size_t at, const char *wanted)
{
    struct buf CLEANUP_BUF out = BUF_INIT(1000);
    const struct imap_command *c = parse(command);
    assert_true(at < c->fetch.what.sections_n);
    imap_put_section(&out, &c->fetch.what.sections[at]);
    if (!slice_eq(buf_slice(&out), slice_str(wanted)))
        fail_msg("wanted %s, got %.*s", wanted, SLICE_ARG(buf_slice(&out)));
}

static void test_fetch(void **state)
{
    const struct imap_command *c = parse(S("A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])"));
    assert_int_equal(c->fetch.what.attributes, IMAP_FETCH_FLAGS);
    assert_int_equal(c->fetch.what.sections_n, 1);
    assert_true(c->fetch.what.sets_seen);
    assert_int_equal(
        parse(S("a FETCH 1 ALL"))->fetch.what.attributes,
        IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SIZE | IMAP_FETCH_ENVELOPE);
    assert_int_equal(
        parse(S("a FETCH 1 full"))->fetch.what.attributes,
        IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SIZE | IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY);
    assert_int_equal(parse(S("a FETCH 1 BODY"))->fetch.what.attributes, IMAP_FETCH_BODY);
    assert_int_equal(parse(S("a FETCH 1 BODYSTRUCTURE"))->fetch.what.attributes, IMAP_FETCH_BODYSTRUCTURE);
    c = parse(S("s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)"));
    assert_true(c->fetch.what.has_changed_since && c->fetch.what.changed_since == 12345);
    assert_true(c->fetch.what.attributes & IMAP_FETCH_MODSEQ);
    assert_false(parse(S("a FETCH 1 BODY.PEEK[]"))->fetch.what.sets_seen);
    assert_false(parse(S("a FETCH 1 RFC822.HEADER"))->fetch.what.sets_seen);
    assert_true(parse(S("a FETCH 1 RFC822"))->fetch.what.sets_seen);
    section_is(S("a FETCH 1 BODY[]<0.100>"), 0, "BODY[]<0>");
    section_is(S("a FETCH 1 BODY.PEEK[1.2.MIME]"), 0, "BODY[1.2.MIME]");
    section_is(S("a FETCH 1 (UID BODY[4.2.2.1] BODY[TEXT])"), 0, "BODY[4.2.2.1]");
    section_is(S("a FETCH 1 (UID BODY[4.2.2.1] BODY[TEXT])"), 1, "BODY[TEXT]");
    section_is(S("a FETCH 1 BODY[3.HEADER]"), 0, "BODY[3.HEADER]");
    section_is(
        S("a FETCH 1 BODY[2.header.fields.not (\"X Y\" {2}\r\nto)]<5.6>"), 0,
        "BODY[2.HEADER.FIELDS.NOT (\"X Y\" to)]<5>");
    section_is(S("a FETCH 1 RFC822.TEXT"), 0, "RFC822.TEXT");
}

static void test_fetch_that_is_none(void **state)
{
    static const char *const rows[] = {
        "a FETCH 1",
        "a FETCH 1 ()",
        "a FETCH 1 (FLAGS",
        "a FETCH 1 FLAGS)",
        "a FETCH 1 (ALL)",
        "a FETCH 1 BODY[",
        "a FETCH 1 BODY[MIME]",
        "a FETCH 1 BODY[0]",
        "a FETCH 1 BODY[1.]",
        "a FETCH 1 BODY[1.x]",
        "a FETCH 1 BODY[01]",
        "a FETCH 1 BODY[HEADER.FIELDS]",
        "a FETCH 1 BODY[HEADER.FIELDS ()]",
        "a FETCH 1 BODY[]<0.0>",
        "a FETCH 1 BODY[]<0>",
        "a FETCH 1 BODY[]<4294967296.1>",
        "a FETCH 1 BODY[]<-1.1>",
        "a FETCH 1 BODY[TEXTX]",
        "a FETCH 1 FLAGS (CHANGEDSINCE 0)",
        "a FETCH 1 FLAGS (CHANGEDSINCE 18446744073709551615)",
        "a FETCH 1 FLAGS (VANISHED)",
        "a FETCH 1 (FLAGS  UID)",
        "a FETCH 1 ALL FLAGS",
        "a FETCH 1 BODY.PEEK",
        "a FETCH 1 ((FLAGS))",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (wrong(slice_str(rows[i])) == OK)
            fail_msg("accepted: %s", rows[i]);
}

/* The tree as text, so that tests read. */
static void put_key(struct buf *out, const struct imap_search_key *k)
{
    static const char *const names[IMAP_KEY_N] = {
        "all",        "and",    "or",        "not",     "seq",    "uid",  "flag",
        "keyword",    "recent", "larger",    "smaller", "before", "on",   "since",
        "sentbefore", "senton", "sentsince", "header",  "body",   "text", "modseq"};
    buf_printf(out, "%s", names[k->key]);
    if (k->field.n)
        buf_printf(out, " %.*s", SLICE_ARG(k->field));
    if (k->text.p)
        buf_printf(out, " '%.*s'", SLICE_ARG(k->text));
    if (k->number)
        buf_printf(out, " %llu", (unsigned long long)k->number);
    if (k->date)
        buf_printf(out, " day%lld", (long long)k->date);
    if (k->set.n) {
        buf_put_char(out, ' ');
        put_set(out, &k->set);
    }
    if (k->children) {
        buf_put_char(out, '(');
        for (const struct imap_search_key *c = k->children; c; c = c->next) {
            put_key(out, c);
            if (c->next)
                buf_put_char(out, ',');
        }
        buf_put_char(out, ')');
    }
}

static void search_is(struct slice command, const char *wanted)
{
    struct buf CLEANUP_BUF out = BUF_INIT(10000);
    put_key(&out, parse(command)->search.root);
    if (!slice_eq(buf_slice(&out), slice_str(wanted)))
        fail_msg("wanted %s, got %.*s", wanted, SLICE_ARG(buf_slice(&out)));
}

static void test_search(void **state)
{
    search_is(
        S("A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\""),
        "and(flag 4,since day8797,not(header From 'Smith'))");
    search_is(S("A283 SEARCH TEXT \"string not in mailbox\""), "text 'string not in mailbox'");
    search_is(
        S("a SEARCH OR UNSEEN (1:3 KEYWORD x) ALL"), "and(or(not(flag 1),and(seq 1:3,keyword 'x')),all)");
    search_is(S("a SEARCH NEW"), "and(recent,not(flag 1))");
    search_is(S("a SEARCH OLD"), "not(recent)");
    search_is(S("a SEARCH HEADER X-Foo \"\""), "header X-Foo ''");
    search_is(
        S("a UID SEARCH UID 5,7 LARGER 100 SENTON \"1-Feb-1994\""), "and(uid 5,7,larger 100,senton day8797)");
    search_is(S("a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338"), "modseq 620162338");
    search_is(S("a SEARCH MODSEQ 620162338"), "modseq 620162338");
    search_is(S("a SEARCH NOT NOT ANSWERED"), "not(not(flag 2))");
    const struct imap_command *c = parse(S("a SEARCH CHARSET UTF-8 TEXT {6}\r\n\xe5\x8f\xb0\xe5\x8c\x97"));
    assert_slice("UTF-8", c->search.charset);
    assert_true(c->search.uses_body && c->search.uses_header);
    assert_false(c->search.uses_modseq);
    assert_true(parse(S("a SEARCH MODSEQ 1"))->search.uses_modseq);
    assert_true(parse(S("a SEARCH SENTSINCE 1-Jan-2020"))->search.uses_header);
}

static void test_search_that_is_none(void **state)
{
    static const char *const rows[] = {
        "a SEARCH",
        "a SEARCH ",
        "a SEARCH ()",
        "a SEARCH (ALL",
        "a SEARCH ALL)",
        "a SEARCH NOT",
        "a SEARCH OR ALL",
        "a SEARCH FROM",
        "a SEARCH SINCE 32-Jan-2020",
        "a SEARCH SINCE 1-Foo-2020",
        "a SEARCH LARGER 4294967296",
        "a SEARCH LARGER x",
        "a SEARCH WHAT",
        "a SEARCH 0",
        "a SEARCH MODSEQ 9223372036854775808",
        "a SEARCH MODSEQ \"/x\" all 1",
        "a SEARCH CHARSET UTF-8",
        "a SEARCH KEYWORD (x)",
        "a SEARCH ALL  ALL",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (wrong(slice_str(rows[i])) != ERR_SYNTAX)
            fail_msg("accepted: %s", rows[i]);
}

static void repeat(struct buf *out, const char *start, const char *word, size_t n)
{
    buf_clear(out);
    buf_put_str(out, start);
    for (size_t i = 0; i < n; i++)
        buf_put_str(out, word);
}

/* T-155 and the budgets of T-162, T-164, T-171, T-172. */
static void test_t155_depth_and_counts(void **state)
{
    static const char *const starts[] = {"a NOOP ",     "a SEARCH ", "a FETCH 1 ",      "a STORE 1 FLAGS ",
                                         "a ID ",       "a ENABLE ", "a APPEND INBOX ", "a LOGIN ",
                                         "a STATUS x ", "a LIST "};
    static const char *const words[] = {"(", ")", "{", "}", "[", "<", "(("};
    struct cases cases = {.id = "T-155"};
    struct buf CLEANUP_BUF text = BUF_INIT(1 << 20);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            repeat(&text, starts[i], words[k], 4000);
            enum err e = wrong(buf_slice(&text));
            /* a long atom is a keyword, or a capability that nobody knows: the store refuses the one, ENABLE ignores the other */
            bool is_atom = (i == 3 || i == 5) && strchr("}[<", words[k][0]);
            cases_check(&cases, is_atom ? e == OK : e == ERR_SYNTAX || e == ERR_LIMIT, starts[i]);
            cases_check(&cases, mem.used < 65536, "memory");
        }
    }
    repeat(&text, "a SEARCH ", "(", 21);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "21 levels");
    repeat(&text, "a SEARCH ", "NOT ", 10000);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "NOT NOT NOT");
    repeat(&text, "a SEARCH ", "OR ALL ", 10000);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "OR OR OR");
    repeat(&text, "a SEARCH ALL", " ALL", 199);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "201 keys");
    repeat(&text, "a SEARCH ALL", " ALL", 198);
    cases_check(&cases, wrong(buf_slice(&text)) == OK, "199 keys and their AND");
    repeat(&text, "a FETCH 1 (UID", " BODY[]", 101);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "101 sections");
    repeat(&text, "a FETCH 1 BODY[1", ".1", 1000);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "1,000 part numbers");
    repeat(&text, "a FETCH 1 BODY[HEADER.FIELDS (x", " x", 10000);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "10,000 names");
    repeat(&text, "a ID (\"a\" \"b\"", " \"a\" \"b\"", 30);
    cases_check(&cases, wrong(buf_slice(&text)) == ERR_LIMIT, "31 pairs");
    cases_end(&cases, 36);
}

static void test_others(void **state)
{
    const struct imap_command *c = parse(S("a ID (\"name\" \"sodr\" \"vendor\" NIL)"));
    assert_int_equal(c->id.n, 2);
    assert_slice("sodr", c->id.pairs[0].value);
    assert_null(c->id.pairs[1].value.p);
    assert_int_equal(parse(S("a ID NIL"))->id.n, 0);
    assert_int_equal(parse(S("a ID ()"))->id.n, 0);
    assert_err(ERR_SYNTAX, wrong(S("a ID (\"name\")")));
    assert_int_equal(parse(S("t1 ENABLE CONDSTORE X-GOOD-IDEA"))->enable.known, IMAP_ENABLE_CONDSTORE);
    assert_err(ERR_SYNTAX, wrong(S("t1 ENABLE")));
    c = parse(S("a UID MOVE 42:69 foo"));
    assert_int_equal(c->verb->id, IMAP_VERB_UID_MOVE_ID);
    assert_slice("foo", c->copy.mailbox.name);
    assert_int_equal(parse(S("A003 COPY 2:4 MEETING"))->copy.set.ranges[0].last, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_plain_commands),
        cmocka_unit_test(test_failure_keeps_tag_and_verb),
        cmocka_unit_test(test_sign_in),
        cmocka_unit_test(test_t157_octets_that_are_refused),
        cmocka_unit_test(test_mailboxes),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_fetch_that_is_none),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_search_that_is_none),
        cmocka_unit_test(test_t155_depth_and_counts),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
