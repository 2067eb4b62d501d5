/* merlon, the command line. */
#include "merlon/commands.h"

int main(int argc, char **argv)
{
    return mln_cli_main(&mln_merlon, argc, argv, NULL);
}
