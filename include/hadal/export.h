// HADAL_API marks what the installed library shows; everything else in it is hidden.
#pragma once

#if defined(_WIN32)
#define HADAL_API
#else
#define HADAL_API [[gnu::visibility("default")]]
#endif
