/* asset.h - a file that becomes part of the program: its bytes, ended by a NUL, as an array.
 *
 *      extern const char hail_page_css[];
 *      HAIL_ASSET(hail_page_css, "src/net/page/page.css");
 *
 * The assembler reads it (.incbin) from where make runs; the Makefile names it as a prerequisite of
 * the object. The symbol does not leave the library or the program.
 */
#ifndef HAIL_BASE_ASSET_H
#define HAIL_BASE_ASSET_H

#define HAIL_ASSET(name, file)                                                                     \
    __asm__(".section .rodata\n"                                                                   \
            ".globl " #name "\n"                                                                   \
            ".hidden " #name "\n"                                                                  \
            ".type " #name ", %object\n" #name ":\n"                                               \
            ".incbin \"" file "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".size " #name ", .-" #name "\n"                                                       \
            ".previous\n")

#endif
