#include "base/utf8.h"
#include "doctor/tree.h"

/* The questions stand one below the other at the left, the causes of each "no" in a panel at its right. Widths are in the units of
 * the view box, in which a column of text (lang_columns) takes COLUMN, in bold BOLD_COLUMN. */
enum {
    WIDTH = 1040,
    LEFT = 12,
    QUESTION = 250,
    PANEL = 312,
    PADDING = 12,
    COLUMN = 15,      /* halves: as wide as the widest of the usual fonts draws it */
    BOLD_COLUMN = 17, /* halves */
    LINE = 19,
    LEAF = 28,
    GAP = 8,
    BETWEEN = 34,
    LINES = 4
};

struct wrapped {
    struct slice lines[LINES];
    size_t count;
};

/* No line of Chinese begins with one of these. */
static bool is_closing(uint32_t code)
{
    static const uint32_t closing[] = {0x3001, 0x3002, 0xff01, 0xff09, 0xff0c, 0xff1a, 0xff1b, 0xff1f};
    for (size_t i = 0; i < sizeof closing / sizeof *closing; i++)
        if (closing[i] == code)
            return true;
    return false;
}

/* Breaks at blanks and between wide signs; what does not fit into LINES stays in the last. */
static void wrap(struct slice text, size_t columns, struct wrapped *ret_wrapped)
{
    struct wrapped w = {.count = 0};
    while (text.n && w.count < LINES) {
        size_t at = 0, width = 0, good = 0;
        while (at < text.n) {
            uint32_t code;
            size_t used = utf8_decode(slice_from(text, at), &code);
            unsigned wide = lang_columns_of(code);
            if (at && (code == ' ' || (wide == 2 && !is_closing(code))))
                good = at;
            if (width + wide > columns && good && w.count + 1 < LINES)
                break;
            width += wide;
            at += used ? used : 1;
        }
        size_t n = at < text.n ? good : text.n;
        w.lines[w.count++] = slice_sub(text, 0, n);
        text = slice_trim(slice_from(text, n));
    }
    *ret_wrapped = w;
}

/* Our own words: no foreign text ever comes here, but "&" and "<" in a word must not break the drawing. */
static void put_text(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        switch (text.p[i]) {
        case '<':
            buf_put_str(out, "&lt;");
            break;
        case '>':
            buf_put_str(out, "&gt;");
            break;
        case '&':
            buf_put_str(out, "&amp;");
            break;
        default:
            buf_put_char(out, text.p[i]);
        }
}

/* ---------------------------------------------------------------------------------------------------------- shapes */

static const char *colour_of(bool taken)
{
    return taken ? "#b3261e" : "#8a8f98";
}

static void put_box(struct buf *out, const char *class, bool taken, int x, int y, int w, int h, int radius)
{
    bool panel = !strcmp(class, "tree-panel");
    buf_printf(
        out,
        "<rect class=\"%s%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" fill=\"%s\" "
        "stroke=\"%s\" "
        "stroke-width=\"%d\"/>\n",
        class, taken ? " tree-taken" : "", x, y, w, h, radius, panel ? "#f3f4f6" : "#ffffff",
        panel ? "none" : colour_of(taken), taken ? 3 : 1);
}

static void put_words(struct buf *out, struct slice words, bool bold, int x, int y, const char *anchor)
{
    buf_printf(
        out, "<text class=\"tree-text\" x=\"%d\" y=\"%d\" text-anchor=\"%s\" fill=\"#1a1c1e\"%s>", x, y,
        anchor, bold ? " font-weight=\"bold\"" : "");
    put_text(out, words);
    buf_put_str(out, "</text>\n");
}

/* A straight arrow with its word beside it. */
static void put_arrow(struct buf *out, bool taken, int x1, int y1, int x2, int y2, const char *word)
{
    bool down = x1 == x2;
    const char *mark = taken ? " tree-taken" : "";
    buf_printf(
        out,
        "<line class=\"tree-line%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" "
        "stroke-width=\"%d\"/>\n",
        mark, x1, y1, down ? x2 : x2 - 8, down ? y2 - 8 : y2, colour_of(taken), taken ? 4 : 1);
    buf_printf(
        out, "<path class=\"tree-head%s\" d=\"M%d %d l%d %d l%d %d z\" fill=\"%s\"/>\n", mark, x2, y2,
        down ? -5 : -9, down ? -9 : -5, down ? 10 : 0, down ? 0 : 10, colour_of(taken));
    if (down)
        put_words(out, slice_str(word), taken, x1 + 10, (y1 + y2) / 2 + 4, "start");
    else
        put_words(out, slice_str(word), taken, (x1 + x2) / 2 - 4, y1 - 7, "middle");
}

/* ----------------------------------------------------------------------------------------------------------- parts */

static int leaf_width(enum cause cause, bool taken, enum lang lang)
{
    int columns = (int)lang_columns(slice_str(cause_words(cause, lang)));
    return columns * (taken ? BOLD_COLUMN : COLUMN) / 2 + 2 * PADDING;
}

/* Puts the leaves of a question into rows, drawn when `out` is there; returns the height that they take. */
static int
put_leaves(const struct tree *t, const struct tree_question *q, enum lang lang, int top, struct buf *out)
{
    int x = PANEL + GAP, y = top + GAP;
    for (size_t i = 0; i < q->cause_count; i++) {
        bool taken = t->step == q->step && t->cause == q->causes[i];
        int w = leaf_width(q->causes[i], taken, lang);
        if (x + w > WIDTH - LEFT - GAP && x > PANEL + GAP) {
            x = PANEL + GAP;
            y += LEAF + GAP;
        }
        if (out) {
            put_box(out, "tree-leaf", taken, x, y, w, LEAF, LEAF / 2);
            put_words(out, slice_str(cause_words(q->causes[i], lang)), taken, x + w / 2, y + 19, "middle");
        }
        x += w + GAP;
    }
    return y + LEAF + GAP - top;
}

struct row {
    struct wrapped asks;
    int top, height, box; /* of the whole row, and of the question's box */
};

static void row_init(struct row *r, const struct tree *t, int step, enum lang lang, int top)
{
    wrap(slice_str(tree_words((enum step)step, lang)), (QUESTION - 2 * PADDING) * 2 / BOLD_COLUMN, &r->asks);
    int leaves = put_leaves(t, &t->questions[step], lang, top, NULL);
    r->top = top;
    r->box = (int)r->asks.count * LINE + 2 * PADDING;
    r->height = leaves > r->box ? leaves : r->box;
}

static const struct lang_text yes = {{"yes", "是"}}, no = {{"no", "否"}},
                              well = {{"Everything works", "一切正常"}};
static const struct lang_text not_tried = {{"not tried", "未检查"}},
                              with_warnings = {{"yes, with warnings", "是，有提醒"}};

static void put_row(const struct tree *t, const struct row *r, int step, enum lang lang, struct buf *out)
{
    const struct tree_question *q = &t->questions[step];
    bool on_path = step <= (int)t->stop, ends = t->step == q->step && t->cause < CAUSE_N;
    int middle = r->top + r->box / 2, x = LEFT + QUESTION / 2;
    put_box(out, "tree-question", on_path, LEFT, r->top, QUESTION, r->box, 6);
    for (size_t i = 0; i < r->asks.count; i++)
        put_words(out, r->asks.lines[i], on_path, x, r->top + PADDING + 14 + (int)i * LINE, "middle");
    put_box(out, "tree-panel", false, PANEL, r->top, WIDTH - LEFT - PANEL, r->height, 6);
    put_leaves(t, q, lang, r->top, out);
    put_arrow(out, ends, LEFT + QUESTION, middle, PANEL, middle, no.in[lang]);
    bool through = step < (int)t->stop;
    const char *word = q->answer == TREE_UNSURE                 ? with_warnings.in[lang]
                       : on_path && q->answer == TREE_NOT_ASKED ? not_tried.in[lang]
                                                                : yes.in[lang];
    put_arrow(out, through, x, r->top + r->box, x, r->top + r->height + BETWEEN, word);
}

void tree_put_svg(const struct tree *t, enum lang lang, struct buf *out)
{
    struct row rows[STEP_N];
    int y = LEFT;
    for (int i = 0; i < STEP_N; i++) {
        row_init(&rows[i], t, i, lang, y);
        y += rows[i].height + BETWEEN;
    }
    int end = 2 * PADDING + LINE;
    buf_printf(
        out,
        "<svg class=\"tree\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
        "font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>%s</title>\n",
        WIDTH, y + end + LEFT, lang == LANG_ZH ? "决策树" : "Decision tree");
    for (int i = 0; i < STEP_N; i++)
        put_row(t, &rows[i], i, lang, out);
    put_box(out, "tree-question", t->stop == STEP_N, LEFT, y, QUESTION, end, end / 2);
    put_words(
        out, slice_str(well.in[lang]), t->stop == STEP_N, LEFT + QUESTION / 2, y + end / 2 + 5, "middle");
    buf_put_str(out, "</svg>\n");
}
