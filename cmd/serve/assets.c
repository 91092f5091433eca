/* assets.c - the style and the script of the pages that `hail serve` makes, as they are in page/.
 *
 * The assembler reads them (.incbin), from where make runs; they end with a NUL.
 */
#include "listing.h"

#define ASSET(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".globl " #name "\n"                                                                   \
            ".hidden " #name "\n"                                                                  \
            ".type " #name ", %object\n" #name ":\n"                                               \
            ".incbin \"cmd/serve/page/" file "\"\n"                                                \
            ".byte 0\n"                                                                            \
            ".size " #name ", .-" #name "\n"                                                       \
            ".previous\n")

ASSET(serve_listing_css, "listing.css");
ASSET(serve_listing_js, "listing.js");
ASSET(serve_reload_js, "reload.js");
