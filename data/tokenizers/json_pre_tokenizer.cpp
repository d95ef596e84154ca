#include "core/base/text.h"
#include "data/tokenizers/gguf_pre_tokenizers.h"
#include "data/tokenizers/json_pattern.h"
#include "data/tokenizers/json_steps.h"
#include "data/tokenizers/metaspace_step.h"
#include "data/tokenizers/regex_dialect.h"
#include "data/tokenizers/split_step.h"

namespace qaq {
namespace {

using Step = std::unique_ptr<const PreTokenizerStep>;

SplitBehavior behavior_of(const JsonValue& value) {
  const std::string name = value.text();
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  value.refuse(cat("the behavior '", name, "' is unknown"));
}

PrefixScheme prefix_of(const JsonValue& step) {
  const auto scheme = step.find("prepend_scheme");
  // The older spelling.
  if (!scheme) {
    return step.flag_or("add_prefix_space", true) ? PrefixScheme::always : PrefixScheme::never;
  }
  const std::string name = scheme->text();
  if (name == "always") return PrefixScheme::always;
  if (name == "first") return PrefixScheme::first;
  if (name == "never") return PrefixScheme::never;
  scheme->refuse(cat("the scheme '", name, "' is unknown"));
}

Step split_by(const char* pattern, SplitBehavior behavior = SplitBehavior::isolated) {
  return std::make_unique<SplitStep>(Regex(pcre2_pattern(pattern)), behavior);
}

class Reader {
 public:
  void take(const JsonValue& step) {
    if (byte_level_) step.refuse("a step after ByteLevel is not supported");
    const std::string type = step.at("type").text();
    if (type == "Split") {
      steps_.push_back(std::make_unique<SplitStep>(read_pattern(step.at("pattern")),
                                                   behavior_of(step.at("behavior")),
                                                   step.flag_or("invert", false)));
    } else if (type == "Digits") {
      const bool each = step.flag_or("individual_digits", false);
      steps_.push_back(
          split_by(R"(\p{N})", each ? SplitBehavior::isolated : SplitBehavior::contiguous));
    } else if (type == "Metaspace") {
      steps_.push_back(std::make_unique<MetaspaceStep>(
          step.text_or("replacement", "\u2581"), prefix_of(step), step.flag_or("split", true)));
    } else if (type == "ByteLevel") {
      byte_level_ = true;
      if (step.flag_or("add_prefix_space", true)) {
        steps_.push_back(std::make_unique<PrefixSpaceStep>());
      }
      if (step.flag_or("use_regex", true)) steps_.push_back(split_by(kGpt2Pattern));
    } else {
      refuse_step(step, "pre-tokenizer", "ByteLevel, Digits, Metaspace, Sequence, Split");
    }
  }

  JsonPreTokenizer finish() { return {PreTokenizer(std::move(steps_)), byte_level_}; }

 private:
  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace

JsonPreTokenizer read_pre_tokenizer(const std::optional<JsonValue>& part) {
  Reader reader;
  if (part) {
    for_each_step(*part, "pretokenizers", [&](const JsonValue& step) { reader.take(step); });
  }
  return reader.finish();
}

}  // namespace qaq
