#include "vault/recovery.h"

#include "crypto/secret.h"
#include "crypto/symbols.h"

void recovery_make(struct recovery_code *ret_code)
{
    symbols_random(ret_code->symbols, sizeof ret_code->symbols);
}

void recovery_show(const struct recovery_code *code, char out[RECOVERY_SHOWN])
{
    for (size_t i = 0, at = 0; i < RECOVERY_SYMBOLS; i++) {
        if (i && i % RECOVERY_GROUP == 0)
            out[at++] = '-';
        out[at++] = code->symbols[i];
    }
}

bool recovery_read(struct slice typed, struct recovery_code *ret_code)
{
    struct recovery_code code;
    size_t n = 0;
    bool good = symbols_read(typed, code.symbols, sizeof code.symbols, &n) && n == RECOVERY_SYMBOLS;
    for (size_t i = 0; good && i < RECOVERY_SYMBOLS; i++) {
        int value = symbol_value(code.symbols[i]);
        good = value >= 0;
        code.symbols[i] = symbol_of((unsigned)value & 31);
    }
    if (good)
        *ret_code = code;
    secret_wipe(&code, sizeof code);
    return good;
}
