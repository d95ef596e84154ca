#include "data/tokenizers/regex_dialect.h"

#include <cctype>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

// \w in Oniguruma: letters, marks, decimal digits, connectors; PCRE2 has no marks in it.
constexpr std::string_view kWord = R"(\p{L}\p{M}\p{Nd}\p{Pc})";

class Translator {
 public:
  explicit Translator(std::string_view in) : in_(in) {}

  std::string run() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        escape();
      } else if (in_brackets_) {
        within_brackets(c);
      } else {
        outside(c);
      }
    }
    return std::move(out_);
  }

 private:
  bool next_is(std::string_view text) const { return in_.substr(at_).starts_with(text); }

  void copy(std::size_t n) {
    out_ += in_.substr(at_, n);
    at_ += n;
  }

  void replace(std::size_t n, std::string_view by) {
    out_ += by;
    at_ += n;
  }

  [[noreturn]] void refuse(std::string_view what) const {
    refuse_input({.place = cat("byte ", at_, " of the pattern"),
                  .what = cat("the regular expression uses ", what, ", which is not supported"),
                  .cure = "a guess would give wrong tokens; use another model"});
  }

  void within_brackets(char c) {
    if (c == '[') refuse("'[' within brackets");
    if (next_is("&&")) refuse("'&&' within brackets");
    if (c == ']' && at_ > first_in_brackets_) in_brackets_ = false;
    copy(1);
  }

  void outside(char c) {
    if (c == '[') {
      in_brackets_ = true;
      copy(next_is("[^") ? 2 : 1);
      first_in_brackets_ = at_;
    } else if (c == '(') {
      group();
    } else if (c == '{') {
      repeat();
    } else {
      copy(1);
    }
  }

  void group() {
    if (next_is("(*")) refuse("'(*'");
    if (!next_is("(?")) return copy(1);
    for (const std::string_view known :
         {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?i)", "(?-i:", "(?-i)"}) {
      if (next_is(known)) return copy(known.size());
    }
    refuse(cat("'", in_.substr(at_, 3), "'"));
  }

  // A '{' that begins no repeat is an ordinary character in both.
  void repeat() {
    std::size_t end = at_ + 1;
    while (end < in_.size() &&
           (std::isdigit(static_cast<unsigned char>(in_[end])) || in_[end] == ','))
      ++end;
    if (end == in_.size() || in_[end] != '}' || end == at_ + 1) return copy(1);
    if (end + 1 < in_.size() && in_[end + 1] == '+') refuse("'}+'");
    if (in_[at_ + 1] == ',') replace(1, "{0");
    copy(end + 1 - at_);
  }

  void escape() {
    if (at_ + 1 == in_.size()) return copy(1);  // PCRE2 says what is wrong
    const char c = in_[at_ + 1];
    switch (c) {
      case 's':
        return replace(2, R"(\p{White_Space})");
      case 'S':
        return replace(2, R"(\P{White_Space})");
      case 'd':
        return replace(2, R"(\p{Nd})");
      case 'D':
        return replace(2, R"(\P{Nd})");
      case 'w':
        return replace(2, in_brackets_ ? std::string(kWord) : cat('[', kWord, ']'));
      case 'W':
        if (in_brackets_) refuse("'\\W' within brackets");
        return replace(2, cat("[^", kWord, ']'));
      case 'v':
        return replace(2, R"(\x0b)");
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'a':
      case 'e':
      case 'x':
        return copy(2);
      case 'A':
      case 'z':
        if (in_brackets_) break;
        return copy(2);
      case 'u':
        return code_point();
      case 'p':
      case 'P':
        return property();
      default:
        if (!std::isalnum(static_cast<unsigned char>(c))) return copy(2);
    }
    refuse(cat("'\\", c, "'"));
  }

  // \uHHHH
  void code_point() {
    for (std::size_t i = at_ + 2; i < at_ + 6; ++i) {
      if (i >= in_.size() || !std::isxdigit(static_cast<unsigned char>(in_[i]))) {
        refuse("'\\u' without four digits");
      }
    }
    replace(6, cat("\\x{", in_.substr(at_ + 2, 4), "}"));
  }

  // General categories mean the same in both; of scripts, PCRE2 takes in the script extensions.
  void property() {
    const std::size_t end = in_.find('}', at_);
    if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || end == std::string_view::npos) {
      refuse("'\\p' without braces");
    }
    std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    if (name.starts_with('^')) name.remove_prefix(1);
    if (name.empty() || name.size() > 2 ||
        std::string_view("LMNPSZC").find(name[0]) == std::string_view::npos) {
      refuse(cat("the property '", name, "'"));
    }
    copy(end + 1 - at_);
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  bool in_brackets_ = false;
  std::size_t first_in_brackets_ = 0;  ///< a ']' there is an ordinary character
};

}  // namespace

std::string pcre2_pattern(std::string_view oniguruma) { return Translator(oniguruma).run(); }

std::string literal_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && !std::isalnum(byte)) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace qaq
