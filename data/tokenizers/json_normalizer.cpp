#include "data/tokenizers/json_pattern.h"
#include "data/tokenizers/json_steps.h"

namespace qaq {
namespace {

Normalizer::Step replace_step(const JsonValue& step) {
  auto regex = std::make_shared<const Regex>(read_pattern(step.at("pattern")));
  return [regex, content = step.at("content").text()](const std::string& text) {
    std::string out;
    std::size_t done = 0;
    regex->for_each_match(text, [&](std::size_t begin, std::size_t end) {
      out.append(text, done, begin - done).append(content);
      done = end;
    });
    return out.append(text, done);
  };
}

Normalizer::Step step_of(const JsonValue& step) {
  const std::string type = step.at("type").text();
  const auto unicode = [](UnicodeForm form) {
    return [form](const std::string& text) { return to_unicode_form(text, form); };
  };
  if (type == "NFC") return unicode(UnicodeForm::nfc);
  if (type == "NFD") return unicode(UnicodeForm::nfd);
  if (type == "NFKC") return unicode(UnicodeForm::nfkc);
  if (type == "NFKD") return unicode(UnicodeForm::nfkd);
  if (type == "Replace") return replace_step(step);
  if (type == "Prepend") {
    return [prefix = step.at("prepend").text()](const std::string& text) {
      return text.empty() ? text : prefix + text;
    };
  }
  refuse_step(step, "normalizer", "NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence");
}

}  // namespace

Normalizer read_normalizer(const std::optional<JsonValue>& part) {
  std::vector<Normalizer::Step> steps;
  if (part) {
    for_each_step(*part, "normalizers",
                  [&](const JsonValue& step) { steps.push_back(step_of(step)); });
  }
  return Normalizer(std::move(steps));
}

}  // namespace qaq
