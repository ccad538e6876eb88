#include "cli/doctor_line.h"

#include <unistd.h>

#include "base/file.h"

enum { LINE_MAX_OCTETS = 1 << 20 };

void doctor_line_start(struct doctor_line *line)
{
    buf_init(&line->buf, LINE_MAX_OCTETS);
    json_start(&line->j, &line->buf);
    json_open(&line->j, '{');
}

struct slice doctor_line_text(struct doctor_line *line)
{
    json_close(&line->j, '}');
    buf_put_char(&line->buf, '\n');
    return buf_slice(&line->buf);
}

void doctor_line_end(struct doctor_line *line)
{
    IGNORE(file_write_all(STDOUT_FILENO, doctor_line_text(line)), "the outcome at the end tells of it");
    buf_done(&line->buf);
}
