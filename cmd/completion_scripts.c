/* completion_scripts.c - what a shell reads to complete hail's words; completion.c finds them. */
#include "cmd.h"

#include <string.h>

/* A word ends for readline at = and at :, so what is before it is taken off what it offers. */
static const char bash[] = "_hail() {\n"
                           "    local line=${COMP_LINE:0:COMP_POINT} words cut w\n"
                           "    read -ra words <<< \"$line\"\n"
                           "    [[ $line == *[[:space:]] ]] && words+=('')\n"
                           "    cut=${words[-1]%\"${words[-1]##*[=:]}\"}\n"
                           "    COMPREPLY=()\n"
                           "    while IFS=$'\\t' read -r w _; do\n"
                           "        COMPREPLY+=(\"${w#\"$cut\"}\")\n"
                           "    done < <(hail help --complete \"${words[@]:1}\" 2>/dev/null)\n"
                           "}\n"
                           "complete -o bashdefault -o default -F _hail hail\n";

static const char zsh[] =
    "#compdef hail\n"
    "_hail() {\n"
    "    local -a found\n"
    "    found=(${(f)\"$(hail help --complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
    "    if (( $#found )); then\n"
    "        found=(\"${(@)found//:/\\\\:}\")\n"
    "        found=(\"${(@)found/$'\\t'/:}\")\n"
    "        _describe hail found\n"
    "    else\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "if [[ $funcstack[1] = _hail ]]; then _hail \"$@\"; else compdef _hail hail; fi\n";

static const char fish[] = "function __hail\n"
                           "    set -l words (commandline -opc) (commandline -ct)\n"
                           "    set -l found (hail help --complete $words[2..-1] 2>/dev/null)\n"
                           "    if test (count $found) -gt 0\n"
                           "        printf '%s\\n' $found\n"
                           "    else\n"
                           "        __fish_complete_path (commandline -ct)\n"
                           "    end\n"
                           "end\n"
                           "complete -c hail -f -a '(__hail)'\n";

int completion_script(const char *shell)
{
    static const struct {
        const char *name, *text;
    } all[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; shell && i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].name, shell) == 0) {
            fputs(all[i].text, stdout);
            return STATUS_DONE;
        }
    }
    return usage_error(NULL, "--completion wants bash, zsh or fish");
}
