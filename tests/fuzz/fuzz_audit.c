/* fuzz_audit - any text as a journal; and any record, encoded, must verify. */
#include <assert.h>

#include "audit/journal.h"
#include "base/limits.h"
#include "crypto/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    crypto_init();
    struct slice text = slice_of(data, size);
    struct audit_chain chain = AUDIT_CHAIN_START;
    uint64_t line = 0;
    if (audit_verify_all(&chain, text, &line) != OK)
        assert(line >= 1);
    IGNORE(audit_resume(audit_last_line(text), &chain), "any answer is fine");
    struct audit_record r = {
        .time_ms = (int64_t)size * 86400000,
        .kind = slice_sub(text, 0, 20),
        .subject = slice_sub(text, 10, 40),
        .body = text,
    };
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_AUDIT_LINE);
    struct audit_chain writer = AUDIT_CHAIN_START, reader = AUDIT_CHAIN_START;
    if (audit_encode(&writer, &r, &out) == OK) {
        enum err e = audit_verify_all(&reader, buf_slice(&out), NULL);
        assert(e == OK && reader.next == 2);
    }
    return 0;
}
