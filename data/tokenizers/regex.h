#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace qaq {

/// A compiled PCRE2 expression over UTF-8 with Unicode properties. Thread-safe.
class Regex {
 public:
  /// Throws Error{input} with the place in the pattern and the reason where it is no expression.
  explicit Regex(const std::string& pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  /// Calls found(begin, end) for every match in valid UTF-8 `text`, from left to right; matches do
  /// not overlap and none is empty. Throws Error{input} where the expression takes more steps than
  /// any that splits text in earnest.
  void for_each_match(std::string_view text,
                      const std::function<void(std::size_t, std::size_t)>& found) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace qaq
