#include "core/base/error.h"

#include <utility>

namespace qaq {
namespace {

// An error is one line, whatever a hostile file put into the names that it quotes.
void append_printable(std::string& line, const std::string& part) {
  static const char* hex = "0123456789abcdef";
  for (const char c : part) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line += hex[byte >> 4];
      line += hex[byte & 15];
    } else {
      line += c;
    }
  }
}

std::string compose(const ErrorText& text) {
  std::string line;
  for (const std::string* part : {&text.file, &text.place, &text.what}) {
    if (part->empty()) continue;
    if (!line.empty()) line += ": ";
    append_printable(line, *part);
  }
  if (!text.cure.empty()) {
    if (!line.empty()) line += "; ";
    append_printable(line, text.cure);
  }
  return line;
}

}  // namespace

Error::Error(ErrorKind kind, ErrorText text)
    : kind_(kind), text_(std::move(text)), line_(compose(text_)) {}

Error Error::with_file(const std::string& file) const {
  ErrorText text = text_;
  if (text.file.empty()) text.file = file;
  return Error(kind_, std::move(text));
}

void refuse_input(ErrorText text) { throw Error(ErrorKind::input, std::move(text)); }
void refuse_usage(ErrorText text) { throw Error(ErrorKind::usage, std::move(text)); }

}  // namespace qaq
