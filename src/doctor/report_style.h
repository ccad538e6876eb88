/* report_style.h - how the HTML report looks.                                            room: doctor   runs in: cli */
#ifndef DOCTOR_REPORT_STYLE_H
#define DOCTOR_REPORT_STYLE_H

/* CSS; the report's content security policy names its SHA-256. */
extern const char report_style[];

#endif
