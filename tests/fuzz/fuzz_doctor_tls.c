/* What is noted on a certificate and on what is stapled to it, whatever they say: texts, dates and verdicts are the fuzzer's.
 *
 * The octets are parted at NULs. The first part is numbers: verdict, staple, flags, and the lengths of times; the others become the
 * texts of a chain. Nothing is asserted of the words but that they hold no secret, which one text may say, and fit into a note. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "crypto/random.h"
#include "doctor/steps/tls.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FUZZ_SECRET "correct-Horse7"

static struct knowledge *knowledge;
static struct mask *mask;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    crypto_init();
    knowledge = knowledge_built_in();
    mask = mask_new(S(FUZZ_SECRET));
    mask_start(mask);
    return 0;
}

static unsigned number(struct slice *numbers)
{
    unsigned octet = numbers->n ? (unsigned char)numbers->p[0] : 0;
    *numbers = slice_from(*numbers, 1);
    return octet;
}

/* Any that a certificate can write (years 0 to 9999), and those at the ends. */
static int64_t moment(struct slice *numbers)
{
    static const int64_t moments[] = {0,          1,          -1,         1795000000,   1795375562,
                                      1800000000, 4102444800, 2147483648, -62167219200, 253402300799};
    unsigned which = number(numbers);
    if (which < sizeof moments / sizeof *moments)
        return moments[which];
    return (int64_t)which * 16777216 + number(numbers) * 65536;
}

static struct slice text(struct slice *texts)
{
    struct slice part = SLICE_EMPTY;
    slice_cut(texts, '\0', &part);
    return part;
}

static void fill(struct tls_seen *seen, struct slice numbers, struct slice texts)
{
    unsigned flags = number(&numbers);
    *seen = (struct tls_seen){
        .version = flags & 1 ? "TLSv1.3" : "TLSv1.2",
        .cipher = "TLS_AES_256_GCM_SHA384",
        .group = text(&texts),
        .forward_secret = flags & 2,
        .verdict = (enum tls_verdict)(number(&numbers) % TLS_VERDICTS),
        .verdict_text = "certificate has expired",
        .also_name = flags & 4,
        .asks_certificate = flags & 8,
        .chain_n = number(&numbers) % (TLS_CHAIN_MAX + 1)};
    seen->staple = (struct tls_stapled){
        .kind = (enum tls_staple)(number(&numbers) % (TLS_STAPLE_UNJUDGED + 1)),
        .text = "status expired",
        .from_s = moment(&numbers),
        .until_s = moment(&numbers),
        .revoked_s = moment(&numbers),
        .demanded = flags & 16};
    for (size_t i = 0; i < seen->chain_n; i++)
        seen->chain[i] = (struct tls_certificate){
            .subject = text(&texts),
            .issuer = text(&texts),
            .organisation = text(&texts),
            .names = text(&texts),
            .key = S("RSA 2048"),
            .signature = text(&texts),
            .not_before_s = moment(&numbers),
            .not_after_s = moment(&numbers),
            .key_strength = number(&numbers),
            .self_signed = number(&numbers) & 1};
}

static void check(const struct notes *n)
{
    assert(n->count > 0);
    for (size_t i = 0; i < n->count; i++) {
        const struct observation *o = &n->rows[i];
        assert(o->proof.n <= LIMIT_DOCTOR_PROOF);
        assert(slice_search(o->proof, S(FUZZ_SECRET)) == SLICE_NPOS);
        for (int l = 0; l < LANG_N; l++)
            assert(slice_search(o->own.in[l], S(FUZZ_SECRET)) == SLICE_NPOS);
        for (int a = 0; a < 3; a++)
            assert(slice_search(o->args[a], S(FUZZ_SECRET)) == SLICE_NPOS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice texts = slice_of(data, n), numbers = slice_sub(texts, 0, 64);
    struct wishes wishes = {.patience_ms = 1000};
    struct checked c = {.endpoint = {.service = SERVICE_IMAP, .host = S("mail.example.org")}};
    struct visit v = {.wishes = &wishes, .server = &c, .notes = &c.notes};
    struct tls_seen seen;
    struct told_time told;
    texts = slice_from(texts, numbers.n);
    notes_init(&c.notes, knowledge);
    c.notes.mask = mask;
    c.notes.step = STEP_TLS;
    told = (struct told_time){.unix_s = moment(&numbers), .proved = number(&numbers) & 1};
    fill(&seen, numbers, texts);
    tls_profile_fill(&c.tls, &seen);
    (void)tls_dates_doubtful(&seen);
    tls_note_seen(&v, &seen, told);
    check(&c.notes);
    notes_done(&c.notes);
    return 0;
}
