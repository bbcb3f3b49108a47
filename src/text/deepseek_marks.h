// The special tokens of DeepSeek's V2 to V3.1 prompts, spelled with U+FF5C (full-width bar) and
// U+2581 (lower block). Their ids differ between releases; text is the only stable name.
#pragma once

#include <string_view>

namespace hadal::deepseek {

inline constexpr std::string_view kBegin = "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>";
inline constexpr std::string_view kEnd = "<\uFF5Cend\u2581of\u2581sentence\uFF5C>";
inline constexpr std::string_view kUser = "<\uFF5CUser\uFF5C>";
inline constexpr std::string_view kAssistant = "<\uFF5CAssistant\uFF5C>";
inline constexpr std::string_view kCallsBegin = "<\uFF5Ctool\u2581calls\u2581begin\uFF5C>";
inline constexpr std::string_view kCallsEnd = "<\uFF5Ctool\u2581calls\u2581end\uFF5C>";
inline constexpr std::string_view kCallBegin = "<\uFF5Ctool\u2581call\u2581begin\uFF5C>";
inline constexpr std::string_view kCallEnd = "<\uFF5Ctool\u2581call\u2581end\uFF5C>";
inline constexpr std::string_view kSeparator = "<\uFF5Ctool\u2581sep\uFF5C>";
inline constexpr std::string_view kOutputsBegin = "<\uFF5Ctool\u2581outputs\u2581begin\uFF5C>";
inline constexpr std::string_view kOutputsEnd = "<\uFF5Ctool\u2581outputs\u2581end\uFF5C>";
inline constexpr std::string_view kOutputBegin = "<\uFF5Ctool\u2581output\u2581begin\uFF5C>";
inline constexpr std::string_view kOutputEnd = "<\uFF5Ctool\u2581output\u2581end\uFF5C>";
inline constexpr std::string_view kThink = "<think>";
inline constexpr std::string_view kThinkEnd = "</think>";

}  // namespace hadal::deepseek
