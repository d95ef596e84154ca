#include "core/policy/retention.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

void require_units_of_one_head(const Plan& plan) {
  if (plan.keeps_all() || plan.codec || plan.layout.level() == Level::head) return;
  refuse_usage(
      {.place = "--set level",
       .what = cat("is ", ChoiceNames<Level>::names[static_cast<std::size_t>(plan.layout.level())],
                   ", whose units span KV heads that evict different tokens"),
       .cure = "set level=head"});
}

}  // namespace qaq
