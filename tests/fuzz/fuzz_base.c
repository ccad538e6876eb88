/* The small readers that everybody uses: lines, base64, hex, addresses and networks, UTF-8. What is read is written back as
 * it was; what is shown to people holds nothing that fools them; a line is the same however far the input reaches. */
#include <assert.h>

#include "base/encode.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/line.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096, LINE = 64 };

static void encodings(struct slice text)
{
    struct buf data CLEANUP_BUF = BUF_INIT(MOST), again CLEANUP_BUF = BUF_INIT(2 * MOST);
    if (base64_get(text, &data) == OK) {
        base64_put(&again, buf_slice(&data));
        assert(slice_eq(buf_slice(&again), text)); /* each value has one spelling */
    }
    buf_clear(&again), buf_clear(&data);
    base64_put(&again, text);
    enum err e = base64_get(buf_slice(&again), &data);
    assert(e == OK && slice_eq(buf_slice(&data), text));
    char octets[MOST];
    buf_clear(&again);
    hex_put(&again, text);
    e = hex_get(buf_slice(&again), octets, text.n);
    assert(e == OK && slice_eq(slice_of(octets, text.n), text));
    IGNORE(hex_get(text, octets, text.n / 2), "any answer is fine");
}

static void addresses(struct slice text)
{
    char shown[IP_TEXT_MAX];
    struct ip ip, same;
    if (ip_parse(text, &ip) == OK) {
        enum err e = ip_parse(slice_str(ip_text(&ip, shown)), &same);
        assert(e == OK && memcmp(&ip, &same, sizeof ip) == 0);
    }
    struct ip_net net;
    if (ip_net_parse(text, &net) == OK)
        assert(net.bits <= 128 && ip_net_has(&net, &net.ip));
}

static void characters(struct slice text)
{
    struct buf repaired CLEANUP_BUF = BUF_INIT(4 * MOST), safe CLEANUP_BUF = BUF_INIT(8 * MOST);
    utf8_put_repaired(&repaired, text);
    assert(buf_check(&repaired) == OK && utf8_is_valid(buf_slice(&repaired)));
    assert(!utf8_is_valid(text) || slice_eq(buf_slice(&repaired), text));
    utf8_put_safe(&safe, text);
    assert(buf_check(&safe) == OK);
    struct slice rest = buf_slice(&safe);
    while (rest.n) {
        uint32_t code;
        size_t used = utf8_decode(rest, &code);
        char back[4];
        assert(used && !utf8_is_unsafe(code) && utf8_encode(code, back) == used);
        assert(memcmp(back, rest.p, used) == 0);
        rest = slice_from(rest, used);
    }
}

static void lines(struct slice input)
{
    struct line whole, part;
    if (line_find(input, LINE, &whole) != OK)
        return;
    assert(whole.used <= input.n && whole.text.n < whole.used && !slice_has(whole.text, '\n'));
    for (size_t n = 0; n < whole.used; n++)
        assert(line_find(slice_sub(input, 0, n), LINE, &part) == ERR_AGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size < MOST ? size : MOST);
    encodings(text);
    addresses(text);
    characters(text);
    lines(text);
    uint64_t number;
    IGNORE(slice_to_u64(text, UINT64_MAX, &number), "any answer is fine");
    return 0;
}
