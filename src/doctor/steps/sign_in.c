#include "doctor/steps/sign_in.h"

#include <string.h>

#include "base/clock.h"
#include "doctor/password.h"
#include "doctor/steps/dialogue.h"
#include "doctor/steps/reply_note.h"
#include "mail/address.h"

enum { EXPORTER_LEN = 32, END_POINT_MAX = 128 };

/* One server's turn. Arena and talk are of the connection of the present try. */
struct signing {
    struct visit *visit;
    struct turn turn;
    struct slice names[2];
    struct arena arena;
    struct opening opening;
    uint8_t exporter[EXPORTER_LEN];
    struct buf end_point;
    bool has_exporter;
    size_t first_note; /* of this turn */
    bool skipped;      /* a mechanism could not carry name or secret */
    bool private_;     /* the first connection was: so must be the others */
    size_t settled;    /* notes that a stop leaves: those of what came to its end */
    uint8_t leaf[32];  /* SHA-256 of the certificate at the first connection */
    bool has_leaf;
};

static const struct dialogue *dialogue(const struct signing *s)
{
    return dialogue_of(s->visit->server->endpoint.service);
}

static struct observation *
note(struct signing *s, enum tone tone, enum observed what, enum proof_kind kind, struct slice proof)
{
    return notes_observed(s->visit->notes, tone, what, kind, proof);
}

/* ----------------------------------------------------------------------------------------------------------- names */

static struct slice local_part(struct slice name)
{
    size_t at = slice_rfind(name, '@');
    return at == SLICE_NPOS ? SLICE_EMPTY : slice_sub(name, 0, at);
}

/* The name as the person, or whoever published the server, or the provider's habit wants it; and the other form of it. */
static void choose_names(const struct signing *s, struct slice names[2])
{
    const struct visit *v = s->visit;
    struct slice address = v->wishes->address, domain = v->whole->domain;
    const struct provider *p = v->whole->provider;
    struct slice name = v->wishes->user.n ? v->wishes->user : v->server->endpoint.user;
    if (!name.n)
        name = p && p->user_local && local_part(address).n ? local_part(address) : address;
    names[0] = name;
    names[1] = local_part(name);
    if (!slice_has(name, '@'))
        names[1] = slice_eq(name, local_part(address)) ? address : SLICE_EMPTY;
    if (!slice_has(name, '@') && !names[1].n && domain.n)
        names[1] =
            arena_printf(&v->notes->arena, SLICE_FMT "@" SLICE_FMT, SLICE_ARG(name), SLICE_ARG(domain));
}

/* What is noted so far is the server's doing, and not that of a stop. */
static void settle(struct signing *s)
{
    if (!stop_signal(s->visit->wishes->stop))
        s->settled = s->visit->notes->count;
}

/* ---------------------------------------------------------------------------------------------------------- safety */

/* What TLS shows of the server now; false: there is none. */
static bool see(struct signing *s, struct tls_seen *ret_seen)
{
    const struct transport *tls = talk_transport(s->opening.talk);
    return tls && tls_outgoing_seen(tls, &s->arena, ret_seen) == OK;
}

static bool is_private(struct signing *s)
{
    struct tls_seen seen;
    return see(s, &seen) && seen.verdict == TLS_VERDICT_GOOD && !seen.also_name;
}

static void keep_leaf(struct signing *s)
{
    struct tls_seen seen;
    s->has_leaf = see(s, &seen) && seen.chain_n;
    if (s->has_leaf)
        memcpy(s->leaf, seen.chain[0].sha256, sizeof s->leaf);
}

/* Is it whom the person agreed to? Only a certificate could tell, though nobody vouches for it. */
static bool is_same_server(struct signing *s)
{
    struct tls_seen seen;
    return !s->has_leaf ||
           (see(s, &seen) && seen.chain_n && memcmp(s->leaf, seen.chain[0].sha256, sizeof s->leaf) == 0);
}

/* The condition stands in the way; unless the person says otherwise, when there is somebody to ask. */
static bool may_all_the_same(struct signing *s, enum observed what, struct wording proof)
{
    const struct wishes *w = s->visit->wishes;
    struct observation *o = notes_measured(s->visit->notes, TONE_WARNING, what, PROOF_MEASURED, proof);
    bool agreed = w->agrees && w->agrees(w->owner, s->visit->server, o->diagnosis);
    if (agreed)
        o->tone = TONE_NOTE;
    return agreed;
}

/* "imap.gmail.com" with a Cyrillic a: whoever pasted or typed that means another server, and this one has a good certificate. */
static bool is_look_alike(struct slice host)
{
    struct buf shown CLEANUP_BUF = BUF_INIT(4 * LIMIT_DOMAIN);
    struct domain domain;
    if (slice_search(host, S("xn--")) == SLICE_NPOS || domain_parse(host, &domain) != OK)
        return false;
    domain_put_unicode(&shown, &domain);
    return name_is_look_alike(buf_slice(&shown));
}

/* May the secret go there at all? Asked once, before the first try. */
static bool is_allowed(struct signing *s)
{
    const struct visit *v = s->visit;
    if (!v->server->endpoint.trusted && !v->wishes->unverified_allowed &&
        !may_all_the_same(s, OBSERVED_SIGNIN_HOST_UNVERIFIED, wording_same(v->server->endpoint.host)))
        return false;
    if (is_look_alike(v->server->endpoint.host) &&
        !may_all_the_same(s, OBSERVED_SIGNIN_HOST_LOOK_ALIKE, wording_same(v->server->endpoint.host)))
        return false;
    s->private_ = is_private(s);
    keep_leaf(s);
    return s->private_ || v->wishes->clear_allowed ||
           may_all_the_same(
               s, OBSERVED_SIGNIN_NOT_PRIVATE,
               wording_bare(talk_transport(s->opening.talk) ? PHRASE_NOT_VERIFIED : PHRASE_NO_TLS));
}

/* ----------------------------------------------------------------------------------------------------- connections */

static void disconnect(struct signing *s)
{
    if (s->opening.talk)
        dialogue(s)->leave(s->opening.talk);
    talk_close(&s->opening.talk);
    arena_wipe(&s->arena);
    buf_clear(&s->end_point);
    s->has_exporter = false;
    s->opening = (struct opening){.at = OPENING_CONNECT};
}

static void read_binding(struct signing *s)
{
    const struct transport *tls = talk_transport(s->opening.talk);
    if (!tls)
        return;
    s->has_exporter = tls_outgoing_exporter(tls, s->exporter) == OK;
    if (tls_outgoing_end_point(tls, &s->end_point) != OK)
        buf_clear(&s->end_point);
}

/* A server that was spoken to a moment ago and now is not there has its reasons. */
static void note_no_connection(struct signing *s)
{
    enum tone tone = s->turn.succeeded ? TONE_NOTE : TONE_FAULT;
    if (s->opening.greeting.text.n)
        reply_note(s->visit, tone, s->opening.greeting.text, OBSERVED_SIGNIN_NO_CONNECTION);
    else
        note(s, tone, OBSERVED_SIGNIN_NO_CONNECTION, PROOF_NONE, SLICE_EMPTY);
}

static bool connect_again(struct signing *s)
{
    disconnect(s);
    if (dialogue_begin(s->visit, &s->arena, &s->opening) != OK) {
        note_no_connection(s);
        return false;
    }
    /* Whoever says that we are signed in already wants no encryption, and needs no secret. */
    if (slice_starts_nocase(s->opening.greeting.text, S("* PREAUTH")))
        return false;
    read_binding(s);
    return true;
}

/* -------------------------------------------------------------------------------------------------------- outcomes */

static const char *way_of(const struct signing *s, const struct attempt *now)
{
    static const char *const own[SERVICE_N] = {"LOGIN (IMAP)", "USER (POP3)", "AUTH"};
    return now->mechanism ? now->mechanism->name : own[s->visit->server->endpoint.service];
}

/* The other form of the name was right: the first one is what is wrong. */
static void note_name(struct signing *s, struct slice name)
{
    bool whole = slice_has(name, '@');
    note(
        s, s->visit->wishes->user.n ? TONE_FAULT : TONE_WARNING,
        whole ? OBSERVED_SIGNIN_NAME_WITHOUT_DOMAIN : OBSERVED_INPUT_USERNAME_WITH_DOMAIN, PROOF_MEASURED,
        name);
}

/* What was refused before another way succeeded did not stop anybody. */
static void lower_faults(struct signing *s)
{
    struct notes *n = s->visit->notes;
    for (size_t i = s->first_note; i < n->count; i++)
        if (n->rows[i].step == STEP_SIGN_IN && n->rows[i].tone == TONE_FAULT)
            n->rows[i].tone = TONE_WARNING;
}

static void use(struct signing *s)
{
    struct visit *v = s->visit;
    v->server->standing.signed_in = true;
    v->notes->step = STEP_AFTER;
    talk_within(s->opening.talk, v->wishes->patience_ms);
    dialogue(s)->use(v, s->opening.talk, &s->opening.offer);
    v->notes->step = STEP_SIGN_IN;
}

static void succeeded(struct signing *s, const struct attempt *now)
{
    bool first = !s->turn.succeeded;
    bool other_name = s->turn.other_name;
    turn_succeeded(&s->turn);
    if (first)
        lower_faults(s);
    notes_fact(s->visit->notes, TONE_GOOD, FACT_SIGNED_IN, slice_str(way_of(s, now)), now->user, SLICE_EMPTY);
    if (first && other_name)
        note_name(s, now->user);
    settle(s);
    if (first)
        use(s);
}

/* What else it could be, which only this place knows. NULL: nothing. */
static const struct diagnosis *other_reason(const struct signing *s, const struct attempt *now)
{
    const struct visit *v = s->visit;
    const struct provider *p = v->whole->provider;
    const struct knowledge *k = v->notes->knowledge;
    if (p && slice_eq(p->id, S("icloud")) && now->mechanism && v->server->endpoint.service == SERVICE_IMAP)
        return knowledge_find(k, S("icloud-plain-rejected-login-ok"));
    if (!p && !slice_has(now->user, '@') && slice_has(v->wishes->address, '@'))
        return knowledge_find(k, S("input-username-no-domain"));
    if (!p && slice_search_nocase(s->opening.greeting.text, S("Microsoft Exchange")) != SLICE_NPOS)
        return knowledge_find(k, S("exchange-onprem-domain-user"));
    /* Mechanisms that show no password need one that is kept in a form of their own; small servers often have none. */
    if (!p && now->mechanism && !(now->mechanism->flags & (SASL_SENDS_SECRET | SASL_TAKES_TOKEN)))
        return knowledge_find(k, S("signin-verifier-missing"));
    return NULL;
}

/* SCRAM's own reasons (RFC 5802 section 7). `of_account`: said as well where nothing is kept of this account for SCRAM, by servers
 * that then go on with a salt they make up; "other-error" stands for anything, a wrong password too. */
static const struct {
    const char *why;
    enum observed what;
    bool of_account;
} scram_reasons[] = {
    {"invalid-proof", OBSERVED_SIGNIN_SCRAM_PROOF, true},
    {"unknown-user", OBSERVED_SIGNIN_SCRAM_USER, true},
    {"invalid-username-encoding", OBSERVED_SIGNIN_SCRAM_NAME, false},
    {"channel-bindings-dont-match", OBSERVED_SIGNIN_CHANNEL_DIFFERS, false},
    {"server-does-support-channel-binding", OBSERVED_SIGNIN_CHANNEL_UNSUPPORTED, false},
    {"channel-binding-not-supported", OBSERVED_SIGNIN_CHANNEL_UNSUPPORTED, false},
    {"unsupported-channel-binding-type", OBSERVED_SIGNIN_CHANNEL_UNSUPPORTED, false},
    {"no-resources", OBSERVED_SIGNIN_SCRAM_RESOURCES, false},
};

/* The mechanism's own words say more than the reply's. False: they are none of these. */
static bool
note_why(struct signing *s, const struct attempt *now, struct slice why, struct explanation *ret_meaning)
{
    bool scram = now->mechanism && slice_starts(slice_str(now->mechanism->name), S("SCRAM-"));
    for (size_t i = 0; scram && i < sizeof scram_reasons / sizeof *scram_reasons; i++)
        if (slice_eq(why, slice_str(scram_reasons[i].why))) {
            struct observation *o = note(s, TONE_FAULT, scram_reasons[i].what, PROOF_REPLY, why);
            *ret_meaning = (struct explanation){
                .findings = {{.diagnosis = o->diagnosis, .score = 1, .sure = SURE_HIGH}}, .count = 1};
            if (scram_reasons[i].of_account)
                o->alternative = other_reason(s, now);
            return true;
        }
    return false;
}

/* A token is no password, whatever words a server has for it. */
static bool is_about_token(const struct signing *s, const struct explanation *x)
{
    return s->visit->wishes->is_token && (!x->count || x->findings[0].sure == SURE_LOW ||
                                          x->findings[0].diagnosis->cause == CAUSE_WRONG_PASSWORD);
}

/* A server's words about tokens, and a password was given: it wants the one and not the other. */
static bool wants_token(const struct signing *s, const struct explanation *x)
{
    return !s->visit->wishes->is_token && x->count && x->findings[0].sure > SURE_LOW &&
           x->findings[0].diagnosis->cause == CAUSE_TOKEN;
}

/* What is noted of a refusal that the mechanism itself does not explain. */
static struct observation *note_refusal(struct signing *s, const struct explanation *x, struct slice text)
{
    if (is_about_token(s, x))
        return note(s, TONE_FAULT, OBSERVED_SIGNIN_TOKEN_REFUSED, PROOF_REPLY, text);
    if (wants_token(s, x))
        return note(s, TONE_FAULT, OBSERVED_SIGNIN_PASSWORD_WITHDRAWN, PROOF_REPLY, text);
    return reply_note(s->visit, TONE_FAULT, text, OBSERVED_SIGNIN_REFUSED);
}

static bool has_quoting(const struct secret *secret)
{
    return slice_has(secret_reveal(secret), '"') || slice_has(secret_reveal(secret), '\\');
}

/* After a success of the same secret: it is the way that is refused. */
static void note_odd_way(struct signing *s, const struct attempt *now, struct slice text)
{
    bool quoting = !now->mechanism && s->visit->server->endpoint.service == SERVICE_IMAP &&
                   has_quoting(s->visit->wishes->secret);
    note(
        s, TONE_WARNING, quoting ? OBSERVED_SIGNIN_LOGIN_QUOTING : OBSERVED_SIGNIN_WAY_REFUSED, PROOF_REPLY,
        arena_printf(&s->arena, "%s: " SLICE_FMT, way_of(s, now), SLICE_ARG(text)));
}

static void refused(struct signing *s, const struct attempt *now, const struct reply *reply, struct slice why)
{
    struct visit *v = s->visit;
    struct explanation x;
    struct slice text =
        why.n ? arena_printf(&s->arena, SLICE_FMT "\n" SLICE_FMT, SLICE_ARG(reply->text), SLICE_ARG(why))
              : reply->text;
    explain_reply(
        v->notes->knowledge, text, service_where(v->server->endpoint.service), v->whole->provider, &x);
    text = mask_text(v->notes->mask, &s->arena, text);
    if (s->turn.succeeded) {
        note_odd_way(s, now, text);
    } else if (!note_why(s, now, why, &x)) {
        struct observation *o = note_refusal(s, &x, text);
        /* The whole reply is the evidence, not the words of it that are known. */
        o->proof = arena_copy(&v->notes->arena, slice_sub(text, 0, LIMIT_DOCTOR_PROOF));
        if (!o->alternative)
            o->alternative = other_reason(s, now);
    }
    turn_refused(&s->turn, &x, reply->kind == REPLY_BAD);
}

/* The connection ended in the middle, or is of no use any more. */
static void broke(struct signing *s, enum err e)
{
    static const struct {
        enum err e;
        enum observed what;
    } rows[] = {{ERR_CLOSED, OBSERVED_SIGNIN_CLOSED}, {ERR_TIMEOUT, OBSERVED_SIGNIN_SILENT}};
    enum observed what = OBSERVED_SIGNIN_NONSENSE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].e == e)
            what = rows[i].what;
    notes_measured(
        s->visit->notes, s->turn.succeeded ? TONE_WARNING : TONE_FAULT, what, PROOF_MEASURED,
        wording_error(e));
    turn_broke(&s->turn);
}

/* ------------------------------------------------------------------------------------------------------- the turn */

static bool is_offered_still(const struct signing *s, const struct attempt *now)
{
    size_t count;
    const struct offer *offer = &s->opening.offer;
    return now->mechanism ? offer->mechanisms >> (now->mechanism - sasl_mechanisms(&count)) & 1
                          : offer->login;
}

/* One try. False: nothing was sent, and the connection is as it was. */
static bool try_one(struct signing *s, const struct attempt *now)
{
    struct credentials who = {
        .user = now->user,
        .secret =
            s->visit->wishes->secret, /* as it was typed: so do mail programs, and so the reply tells of it */
        .mechanism = now->mechanism,
        .exporter = s->has_exporter ? slice_of(s->exporter, EXPORTER_LEN) : SLICE_EMPTY,
        .end_point = buf_slice(&s->end_point)};
    struct reply reply = {.kind = REPLY_NO};
    struct slice why = SLICE_EMPTY;
    talk_within(s->opening.talk, s->visit->wishes->patience_ms);
    mask_start(s->visit->notes->mask);
    enum err e = is_offered_still(s, now)
                     ? dialogue(s)->sign_in(s->opening.talk, &s->arena, &s->opening.offer, &who, &reply, &why)
                     : ERR_UNSUPPORTED;
    if (e == ERR_UNSUPPORTED) {
        s->skipped = true;
        turn_skipped(&s->turn);
        return false;
    }
    s->visit->server->standing.tried = true;
    if (e == ERR_DENIED) {
        note(s, TONE_FAULT, OBSERVED_SIGNIN_SERVER_UNPROVEN, PROOF_REPLY, reply.text);
        turn_distrusted(&s->turn);
    } else if (e != OK) {
        broke(s, e);
    } else if (reply.kind == REPLY_YES) {
        succeeded(s, now);
    } else {
        refused(s, now, &reply, why);
    }
    settle(s);
    return true;
}

/* A further connection. Who stood aside at the first may stand in between now: no consent covers that. */
static bool connect_further(struct signing *s)
{
    if (!connect_again(s))
        return false;
    if (is_private(s) || (!s->private_ && is_same_server(s)))
        return true;
    notes_measured(
        s->visit->notes, TONE_FAULT,
        s->private_ ? OBSERVED_SIGNIN_NOT_PRIVATE_ANY_MORE : OBSERVED_SIGNIN_OTHER_CERTIFICATE,
        PROOF_MEASURED, wording_bare(PHRASE_NOT_VERIFIED));
    return false;
}

static void take_turn(struct signing *s, struct attempts *a)
{
    struct visit *v = s->visit;
    struct attempt now;
    uint64_t begun = clock_mono_ms();
    if (!connect_again(s) || !is_allowed(s))
        return;
    const struct attempts_offer offer = {
        .mechanisms = s->opening.offer.mechanisms,
        .own = s->opening.offer.login && v->server->endpoint.service != SERVICE_SMTP,
        .can_bind = s->has_exporter || s->end_point.n,
        .exposed = !s->private_};
    turn_init(&s->turn, a, v->server->endpoint.service, &offer, s->names[0], s->names[1]);
    bool chosen = a->only || a->only_own;
    if (!attempts_fit(a, &offer) && (chosen || notes_worst(v->notes, STEP_GREETING) < TONE_FAULT))
        note(
            s, TONE_FAULT, chosen ? OBSERVED_SIGNIN_CHOSEN_MISSING : OBSERVED_SIGNIN_NOTHING_FITS,
            PROOF_REPLY, s->opening.offer.text);
    /* A slow server is asked no more than it takes to know whether one can sign in. */
    while (!stop_signal(v->wishes->stop) && turn_next(&s->turn, &now) &&
           !(s->turn.succeeded && clock_mono_ms() - begun > v->wishes->patience_ms)) {
        if (!s->opening.talk && !connect_further(s))
            return;
        if (try_one(s, &now))
            disconnect(s);
    }
    if (s->skipped && !v->server->standing.tried)
        note(s, TONE_FAULT, OBSERVED_SIGNIN_NOT_CARRIED, PROOF_NONE, SLICE_EMPTY);
}

void sign_in_look(struct visit *v, struct attempts *a)
{
    struct signing s = {
        .visit = v,
        .first_note = v->notes->count,
        .arena = ARENA_INIT(2 * LIMIT_DOCTOR_TALK),
        .end_point = BUF_INIT(END_POINT_MAX)};
    if (!v->wishes->secret || !v->server->standing.greeted)
        return;
    v->notes->step = STEP_SIGN_IN;
    a->is_token = v->wishes->is_token;
    a->only = v->wishes->only;
    a->only_own = v->wishes->only_own;
    choose_names(&s, s.names);
    for (size_t i = 0; i < sizeof s.names / sizeof *s.names; i++)
        mask_allow(v->notes->mask, s.names[i]);
    if (attempts_over(a, v->server->endpoint.service)) {
        notes_fact(v->notes, TONE_NOTE, FACT_NOT_TRIED, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
        return;
    }
    if (!s.names[0].n) {
        notes_observed(v->notes, TONE_WARNING, OBSERVED_SIGNIN_NO_NAME, PROOF_NONE, SLICE_EMPTY);
        return;
    }
    settle(&s);
    take_turn(&s, a);
    if (stop_signal(v->wishes->stop))
        v->notes->count = s.settled;
    disconnect(&s);
    arena_done(&s.arena);
    buf_done(&s.end_point);
}
