#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qaq {

/// The alphabet in which byte-level BPE vocabularies write bytes (Radford et al. 2019, GPT-2): one
/// printable character for each of the 256 bytes. Printable Latin-1 bytes stand for themselves, the
/// rest, in order, for U+0100 and on: a space is written as U+0120.

/// The character of a byte, as UTF-8.
std::string_view letter_of_byte(unsigned char byte);

/// The bytes that a token's text stands for. Characters that are no letters of the alphabet stay as
/// they are.
std::string bytes_of_letters(std::string_view token);

/// Whether a token's text consists of letters alone, so that it stands for bytes.
bool is_in_letters(std::string_view token);

/// The byte that a text stands for when it is exactly one letter.
std::optional<unsigned char> byte_of_letter(std::string_view letter);

/// Bytes of the UTF-8 character that begins with `lead`; 1 for a byte that begins none.
std::size_t character_bytes(char lead);

}  // namespace qaq
