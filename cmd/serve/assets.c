/* assets.c - the style and the script of the pages that `hail serve` makes, as they are in page/.
 */
#include "base/asset.h"
#include "listing.h"

HAIL_ASSET(serve_listing_css, "cmd/serve/page/listing.css");
HAIL_ASSET(serve_listing_js, "cmd/serve/page/listing.js");
HAIL_ASSET(serve_reload_js, "cmd/serve/page/reload.js");
