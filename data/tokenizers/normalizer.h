#pragma once

#include <functional>
#include <string>
#include <vector>

namespace qaq {

/// What is done to text before it is cut into words: steps, one after the other, each from valid
/// UTF-8 to valid UTF-8.
class Normalizer {
 public:
  using Step = std::function<std::string(std::string)>;

  explicit Normalizer(std::vector<Step> steps = {}) : steps_(std::move(steps)) {}

  std::string apply(std::string text) const {
    for (const Step& step : steps_) text = step(std::move(text));
    return text;
  }

 private:
  std::vector<Step> steps_;
};

/// Unicode normalization forms (Unicode Standard Annex 15).
enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

std::string to_unicode_form(std::string_view text, UnicodeForm form);

}  // namespace qaq
