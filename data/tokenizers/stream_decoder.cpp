#include "data/tokenizers/stream_decoder.h"

#include <string_view>

#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Whether `bytes`, which are no valid UTF-8, could become a character by bytes that follow.
bool begins_character(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() >= n) return false;
  if (bytes.size() == 1) return true;
  // Only the second byte is bound by the lead; any continuation bytes will do for the rest.
  const std::string completed = std::string(bytes) + std::string(n - bytes.size(), '\x80');
  return !invalid_utf8_offset(completed);
}

}  // namespace

std::string StreamDecoder::push(std::int32_t id) {
  const std::string bytes = tokenizer_.bytes(id);
  held_ += at_beginning_ ? tokenizer_.decode({id}) : bytes;
  if (!bytes.empty()) at_beginning_ = false;
  std::string out;
  std::string_view rest = held_;
  while (const auto bad = invalid_utf8_offset(rest)) {
    out += rest.substr(0, *bad);
    rest.remove_prefix(*bad);
    if (begins_character(rest)) {
      held_ = std::string(rest);
      return out;
    }
    out += kReplacement;
    rest.remove_prefix(1);
  }
  out += rest;
  held_.clear();
  return out;
}

std::string StreamDecoder::finish() {
  std::string out;
  for (std::size_t i = 0; i < held_.size(); ++i) out += kReplacement;
  held_.clear();
  at_beginning_ = false;
  return out;
}

}  // namespace qaq
