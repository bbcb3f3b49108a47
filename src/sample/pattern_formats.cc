// The formats of JSON Schema that are enforced, as patterns. Every text that a pattern matches is
// of the format; some rare spellings (years beyond 9999, leap seconds, quoted mail names) are left
// out. Sources: RFC 3339 (dates and times), RFC 4122 (uuid), RFC 5321 (mail), RFC 1123 (host
// names), RFC 3986 (URIs), RFC 4291 (IPv6), ISO 8601 as in RFC 3339 appendix A (durations).
#include "sample/pattern.h"

namespace hadal {
namespace {

struct Format {
  std::string_view name, pattern;
};

#define HADAL_LEAP_YEAR "([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
#define HADAL_DATE                                                                               \
  "([1-9][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|" \
  "02-(0[1-9]|1[0-9]|2[0-8]))|" HADAL_LEAP_YEAR "-02-29)"
#define HADAL_CLOCK "([01][0-9]|2[0-3]):[0-5][0-9]"
#define HADAL_TIME HADAL_CLOCK ":[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]" HADAL_CLOCK ")"
#define HADAL_OCTET "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define HADAL_IPV4 HADAL_OCTET "(\\." HADAL_OCTET "){3}"
#define HADAL_LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define HADAL_HOST HADAL_LABEL "(\\." HADAL_LABEL "){0,8}"
#define HADAL_H "[0-9a-fA-F]{1,4}"

constexpr Format kFormats[] = {
    {"date", "^" HADAL_DATE "$"},
    {"time", "^" HADAL_TIME "$"},
    {"date-time", "^" HADAL_DATE "T" HADAL_TIME "$"},
    {"duration",
     "^P([0-9]{1,4}W|([0-9]{1,4}Y([0-9]{1,4}M([0-9]{1,4}D)?)?|[0-9]{1,4}M([0-9]{1,4}D)?|"
     "[0-9]{1,4}D)(T([0-9]{1,4}H([0-9]{1,4}M([0-9]{1,4}S)?)?|[0-9]{1,4}M([0-9]{1,4}S)?|"
     "[0-9]{1,4}S))?|T([0-9]{1,4}H([0-9]{1,4}M([0-9]{1,4}S)?)?|[0-9]{1,4}M([0-9]{1,4}S)?|"
     "[0-9]{1,4}S))$"},
    {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
    {"email", "^[A-Za-z0-9_+-]{1,32}(\\.[A-Za-z0-9_+-]{1,16}){0,2}@" HADAL_LABEL "(\\." HADAL_LABEL
              "){0,4}\\.[A-Za-z]{2,24}$"},
    {"hostname", "^" HADAL_HOST "$"},
    {"ipv4", "^" HADAL_IPV4 "$"},
    {"ipv6", "^((" HADAL_H ":){7}" HADAL_H "|(" HADAL_H ":){1,7}:|(" HADAL_H ":){1,6}:" HADAL_H
             "|(" HADAL_H ":){1,5}(:" HADAL_H "){1,2}|(" HADAL_H ":){1,4}(:" HADAL_H
             "){1,3}|(" HADAL_H ":){1,3}(:" HADAL_H "){1,4}|(" HADAL_H ":){1,2}(:" HADAL_H
             "){1,5}|" HADAL_H ":(:" HADAL_H "){1,6}|:(:" HADAL_H "){1,7}|::)$"},
    {"uri", "^[A-Za-z][A-Za-z0-9+.-]{0,15}://" HADAL_HOST
            "(:[0-9]{1,4})?(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
            "(\\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
            "(#([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$"},
};

#undef HADAL_LEAP_YEAR
#undef HADAL_DATE
#undef HADAL_CLOCK
#undef HADAL_TIME
#undef HADAL_OCTET
#undef HADAL_IPV4
#undef HADAL_LABEL
#undef HADAL_HOST
#undef HADAL_H

}  // namespace

std::string_view PatternOfFormat(std::string_view format) {
  for (const Format& known : kFormats)
    if (known.name == format) return known.pattern;
  return {};
}

std::string FormatNames() {
  std::string names;
  for (const Format& known : kFormats)
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  return names;
}

}  // namespace hadal
