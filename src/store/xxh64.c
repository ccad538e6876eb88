#include "store/xxh64.h"

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t word(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static uint32_t half(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static uint64_t mix(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * P2, 31) * P1;
}

static uint64_t join(uint64_t h, uint64_t lane)
{
    return (h ^ mix(0, lane)) * P1 + P4;
}

static uint64_t stripes(const char **p, const char *end)
{
    uint64_t a = P1 + P2, b = P2, c = 0, d = 0 - P1;
    for (; *p + 32 <= end; *p += 32) {
        a = mix(a, word(*p));
        b = mix(b, word(*p + 8));
        c = mix(c, word(*p + 16));
        d = mix(d, word(*p + 24));
    }
    uint64_t h = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    return join(join(join(join(h, a), b), c), d);
}

uint64_t xxh64(struct slice data)
{
    const char *p = data.p, *end = data.p + data.n;
    uint64_t h = data.n >= 32 ? stripes(&p, end) : P5;
    h += data.n;
    for (; p + 8 <= end; p += 8)
        h = rotate(h ^ mix(0, word(p)), 27) * P1 + P4;
    for (; p + 4 <= end; p += 4)
        h = rotate(h ^ (uint64_t)half(p) * P1, 23) * P2 + P3;
    for (; p < end; p++)
        h = rotate(h ^ (uint64_t)(unsigned char)*p * P5, 11) * P1;
    h ^= h >> 33;
    h *= P2;
    h ^= h >> 29;
    h *= P3;
    return h ^ h >> 32;
}
