/* Force-included into every C file: calls that cannot be used safely become compile errors. */
#ifndef MLN_BASE_BANNED_H
#define MLN_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang's fortified headers have these two as macros. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison gmtime localtime ctime asctime atoi atol atof mktemp tmpnam

#endif
