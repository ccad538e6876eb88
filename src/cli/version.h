/* version.h - the version, as the build says.                                        room: cli   runs in: cli */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#ifndef LETTERLOCK_VERSION
#error "the build defines LETTERLOCK_VERSION"
#endif
#define CLI_VERSION LETTERLOCK_VERSION

#endif
