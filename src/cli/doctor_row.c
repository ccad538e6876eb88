#include "cli/doctor_row.h"

#include "base/utf8.h"
#include "cli/help.h"

enum { LABEL = 13 };

struct slice doctor_safe(struct cli *c, struct slice text)
{
    struct buf out CLEANUP_BUF = BUF_INIT(65536);
    utf8_put_safe(&out, text);
    return arena_copy(&c->arena, buf_slice(&out));
}

void doctor_put_blanks(struct cli *c, size_t n)
{
    while (n--)
        buf_put_char(&c->out, ' ');
}

void doctor_put_text(struct cli *c, struct slice text, size_t indent)
{
    help_put_wrapped(doctor_safe(c, text), indent, DOCTOR_WIDTH, &c->out);
    buf_put_char(&c->out, '\n');
}

static void put_label(struct cli *c, struct lang_text label)
{
    struct slice text = slice_str(label.in[c->lang]);
    size_t columns = lang_columns(text);
    cli_style(c, "1");
    buf_put(&c->out, text);
    cli_style_end(c);
    doctor_put_blanks(c, columns < LABEL ? LABEL - columns : 1);
}

void doctor_put_row(struct cli *c, struct lang_text label, struct slice text)
{
    put_label(c, label);
    doctor_put_text(c, text, LABEL);
}

/* Broken where a line ends or is full, not between words: it is evidence. */
static void put_exact(struct cli *c, struct slice shown, size_t indent)
{
    size_t column = indent, used;
    for (; shown.n; shown = slice_from(shown, used)) {
        uint32_t code = 0;
        used = utf8_decode(shown, &code);
        used = used ? used : 1;
        if (code == '\n' || column + lang_columns_of(code) > DOCTOR_WIDTH) {
            buf_put_char(&c->out, '\n');
            doctor_put_blanks(c, indent);
            column = indent;
        }
        if (code == '\n')
            continue;
        buf_put(&c->out, slice_sub(shown, 0, used));
        column += lang_columns_of(code);
    }
    buf_put_char(&c->out, '\n');
}

/* The lines of a reply stay lines, each safe by itself. */
void doctor_put_proof(struct cli *c, struct lang_text label, struct slice proof)
{
    struct buf shown CLEANUP_BUF = BUF_INIT(65536);
    struct slice rest = slice_sub(proof, 0, DOCTOR_PROOF_SHOWN), line;
    buf_put_char(&shown, '"');
    while (slice_cut(&rest, '\n', &line)) {
        utf8_put_safe(&shown, line);
        if (rest.p)
            buf_put_char(&shown, '\n');
    }
    buf_put_str(&shown, proof.n > DOCTOR_PROOF_SHOWN ? "...\"" : "\"");
    put_label(c, label);
    put_exact(c, buf_slice(&shown), LABEL);
}
