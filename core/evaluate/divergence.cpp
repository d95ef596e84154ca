#include "core/evaluate/divergence.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::int32_t greedy(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// Goes on from where `generated` parts from the reference, with a token of its own.
void continue_alone(Engine& engine, const GenerationCall& call, std::int32_t next,
                    std::vector<std::int32_t>& generated, const Work& work) {
  engine.keep(std::ssize(call.prompt) + std::ssize(generated));
  while (std::ranges::find(call.end_ids, next) == call.end_ids.end()) {
    generated.push_back(next);
    if (std::ssize(generated) == call.n_generate) return;
    engine.run({&next, 1}, nullptr, Work(nullptr, work.stop_token()));
    next = engine.greedy_token();
  }
}

}  // namespace

DivergenceResult generate_divergence(PrefixRun& run, const GenerationCall& call, const Work& work) {
  if (call.n_prefix < 1 || call.n_prefix > std::ssize(call.prompt)) {
    refuse_usage({.place = "--prefix",
                  .what = cat(call.n_prefix, " is out of range"),
                  .cure = cat("give 1 to ", call.prompt.size(), ", the prompt's tokens")});
  }
  const std::size_t n_settings = run.n_settings();
  ItemBuilder builder(run, "generation");
  run.set_prefix(call.prompt.first(static_cast<std::size_t>(call.n_prefix)), work);
  builder.add_cache();
  const auto rest = call.prompt.subspan(static_cast<std::size_t>(call.n_prefix));
  run.step(rest, work);

  DivergenceResult out;
  out.first_difference.assign(n_settings, -1);
  std::vector<std::int32_t> parting(n_settings);  // the first token that differs
  std::vector<TailScores> scores(n_settings);
  // The prefix's last token was run before its cache was quantized.
  bool on_quantized = !rest.empty();
  for (std::int64_t t = 0; t < call.n_generate; ++t) {
    const auto logits = on_quantized ? run.full().logits() : run.prefix_logits();
    const std::int32_t next = greedy(logits);
    for (std::size_t i = 0; i < n_settings && on_quantized; ++i) {
      const auto ours = run.quantized(i).logits();
      scores[i].positions.push_back(compare_logits(logits, ours, next));
      if (out.first_difference[i] < 0 && greedy(ours) != next) {
        out.first_difference[i] = t;
        parting[i] = greedy(ours);
      }
    }
    if (std::ranges::find(call.end_ids, next) != call.end_ids.end()) break;
    out.reference.push_back(next);
    if (t + 1 == call.n_generate) break;
    run.step({&next, 1}, work);
    on_quantized = true;
    work.report({"generate", t + 1, call.n_generate, "tokens"});
  }
  builder.add_tail(scores);
  out.along = builder.finish();
  for (std::size_t i = 0; i < n_settings; ++i) {
    std::vector<std::int32_t>& generated = out.generated.emplace_back(out.reference);
    if (out.first_difference[i] < 0) continue;
    generated.resize(static_cast<std::size_t>(out.first_difference[i]));
    continue_alone(run.quantized(i), call, parting[i], generated, work);
  }
  return out;
}

}  // namespace qaq
