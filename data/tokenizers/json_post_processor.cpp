#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/json_steps.h"

namespace qaq {
namespace {

// Ids of a special token in a template; it may stand for several.
std::int32_t only_id(const JsonValue& step, const std::string& name) {
  const auto ids = step.at("special_tokens").at(name).at("ids").elements();
  if (ids.size() != 1) step.refuse(cat("'", name, "' stands for ", ids.size(), " tokens, not one"));
  return static_cast<std::int32_t>(ids[0].integer());
}

// Of a template such as <s> $A </s>: what comes before $A.
std::optional<std::int32_t> beginning_of_template(const JsonValue& step) {
  std::optional<std::int32_t> beginning;
  for (const JsonValue& part : step.at("single").elements()) {
    if (part.find("Sequence")) break;
    if (beginning) part.refuse("more than one token in front of a text is not supported");
    beginning = only_id(step, part.at("SpecialToken").at("id").text());
  }
  return beginning;
}

}  // namespace

void refuse_step(const JsonValue& step, const std::string& kind, const std::string& known) {
  step.refuse(cat("the ", kind, " '", step.at("type").text(), "' is unknown"),
              "leaving it out would give wrong tokens; known are " + known);
}

std::optional<std::int32_t> read_beginning(const std::optional<JsonValue>& part) {
  std::optional<std::int32_t> beginning;
  if (!part) return beginning;
  for_each_step(*part, "processors", [&](const JsonValue& step) {
    const std::string type = step.at("type").text();
    if (type == "TemplateProcessing") {
      beginning = beginning_of_template(step);
    } else if (type != "ByteLevel") {  // which only moves offsets
      refuse_step(step, "post-processor", "ByteLevel, Sequence, TemplateProcessing");
    }
  });
  return beginning;
}

}  // namespace qaq
