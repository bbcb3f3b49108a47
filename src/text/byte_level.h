// The byte-level alphabet: how tokenizer files write tokens that are any bytes as printable text.
//
// Radford et al., "Language Models are Unsupervised Multitask Learners", 2019 (GPT-2): the bytes
// 21-7E, A1-AC and AE-FF stand for the characters with their numbers, the other 68 bytes, in order,
// for U+0100 to U+0143.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hadal {

// The character that stands for a byte.
char32_t ByteLevelCharacter(std::uint8_t byte);

// The bytes that `written` stands for; nothing where a character is not of the alphabet, or where
// it is not UTF-8.
std::optional<std::string> FromByteLevel(std::string_view written);

}  // namespace hadal
