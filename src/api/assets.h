/* The console's files, built into the program by tools/embed from web/. */
#ifndef MLN_API_ASSETS_H
#define MLN_API_ASSETS_H

#include <stddef.h>

struct mln_asset {
    const char *path; /* below /ui/: "app.js" */
    const char *type; /* media type */
    const char *etag; /* with its quotes */
    const unsigned char *bytes, *bytes_end;
    const unsigned char *gzip, *gzip_end; /* NULL where it would not be smaller */
};

extern const struct mln_asset mln_assets[]; /* sorted by path, by bytes */
extern const size_t mln_assets_count;

#endif
