#include "core/policy/adakv_policy.h"

#include "core/policy/knorm_policy.h"
#include "core/policy/observed_attention_policy.h"
#include "core/policy/tova_policy.h"

namespace qaq {

std::shared_ptr<const TokenScore> AdaKvPolicy::score_of(const AdaKvParams& params) {
  switch (params.score) {
    case PressScore::knorm:
      return std::make_shared<KnormScore>();
    case PressScore::tova:
      return std::make_shared<TovaScore>();
    case PressScore::observed_attention:
      return std::make_shared<ObservedAttentionScore>();
    case PressScore::expected_attention:
      return std::make_shared<ExpectedAttentionScore>(params.expected);
    case PressScore::random:
      return std::make_shared<RandomScore>(params.random.seed);
    case PressScore::snapkv:
      break;
  }
  return std::make_shared<WindowScore>(params.window);
}

}  // namespace qaq
