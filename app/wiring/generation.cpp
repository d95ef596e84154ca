#include "app/wiring/generation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "app/wiring/device.h"
#include "app/wiring/inputs.h"
#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "core/base/text.h"
#include "core/engine/backend.h"
#include "data/tokenizers/stream_decoder.h"

namespace qaq {
namespace {

// Passes taps on and counts the time that the model waits in them: those of a backend whose taps
// come on a thread of their own cost it none.
class TimedSink : public TapSink {
 public:
  explicit TimedSink(TapSink& inner) : inner_(inner) {}
  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override {
    return inner_.wants(what, layer, first_row, n_rows);
  }
  void put(const TapBlock& block) override {
    const Stopwatch watch;
    inner_.put(block);
    if (std::this_thread::get_id() == model_) seconds_ += watch.seconds();
  }
  std::int64_t top_logits() const override { return inner_.top_logits(); }
  std::int64_t first_whole_row() const override { return inner_.first_whole_row(); }
  double seconds() const { return seconds_; }

 private:
  TapSink& inner_;
  const std::thread::id model_ = std::this_thread::get_id();
  double seconds_ = 0;
};

void require_ids(const std::vector<std::int32_t>& ids, std::int64_t vocab_size) {
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < vocab_size) continue;
    refuse_usage({.place = "--stop",
                  .what = cat("id ", id, " is outside the vocabulary of ", vocab_size, " tokens"),
                  .cure = "give ids of this model's tokenizer (qaq tokenize)"});
  }
}

// What continues a text: the prompt first, then token by token.
struct Runner {
  std::function<double(std::span<const std::int32_t>, const Work&)> run;  // gives its seconds
  std::function<std::span<const float>()> logits;
  bool runs_last = false;  // what the last token leads to is wanted, too
};

double rate(std::int64_t n_tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(n_tokens) / seconds : 0.0;
}

Generation generate(const Generator& generator, const Runner& runner,
                    const std::function<void(std::int32_t)>& on_token, const Work& work) {
  const GenerationOptions& options = generator.options;
  Sampler sampler(options.sampling);
  const auto ends = [&](std::int32_t id) {
    const auto holds = [id](const auto& ids) { return std::ranges::find(ids, id) != ids.end(); };
    return holds(options.stop_ids) ||
           (!options.ignore_eos && holds(generator.model->spec().end_token_ids));
  };

  Generation result{.ids = generator.prompt.ids, .n_prompt = std::ssize(generator.prompt.ids)};
  result.prefill = runner.run(result.ids, work);
  const Work silent(nullptr, work.stop_token());  // progress in tokens here, not in layers of one
  for (std::int64_t step = 1; step <= options.n_generate; ++step) {
    const Stopwatch sampling;
    const std::int32_t next = sampler.next(runner.logits());
    result.decode += sampling.seconds();
    if (ends(next)) break;
    result.ids.push_back(next);
    if (on_token) on_token(next);
    // Nobody would see what the last token leads to.
    if (step == options.n_generate && !runner.runs_last) break;
    result.decode += runner.run({&next, 1}, silent);
    ++result.n_decoded;
    if (!on_token) work.report({"decode", step, options.n_generate, "tokens"});
  }
  return result;
}

}  // namespace

nlohmann::ordered_json generation_json(const GenerationOptions& options) {
  return {{"sampling", parameters_json(list_parameters(options.sampling))},
          {"ignore_eos", options.ignore_eos},
          {"stop_ids", options.stop_ids},
          {"chat", options.prompt.chat},
          {"weights", options.weights},
          {"prune_weights", options.prune_weights},
          {"device", options.device}};
}

Generator::Generator(const GenerationOptions& wanted)
    : options(wanted),
      backend(make_backend(wanted.device)),
      model(open_model_named(wanted.model, wanted.prune_weights)),
      tokenizer(make_tokenizer(*model)) {
  require_ids(options.stop_ids, model->spec().shape.vocab_size);
  prompt = read_prompt(options.prompt, *model, *tokenizer, options.n_generate);
}

DType dtype_of(const GenerationOptions& options) {
  return options.dtype.value_or(options.device == "cuda" ? DType::f16 : DType::f32);
}

EngineLimits Generator::limits(bool tapped) const {
  const std::int64_t n_prompt = std::ssize(prompt.ids);
  return {.max_tokens = n_prompt + options.n_generate,
          .max_batch = n_prompt,
          .dequantize_weights = options.weights == "f32",
          .dtype = dtype(),
          .tapped = tapped};
}

std::unique_ptr<Engine> Generator::open_engine(const Work& work, bool tapped) const {
  return backend->open(model, limits(tapped), work);
}

std::unique_ptr<PolicyDecoder> Generator::open_decoder(const DecodePolicy& policy,
                                                       const Work& work) const {
  return make_policy_decoder(*backend, model, limits(/*tapped=*/true), policy, work);
}

double Generation::prefill_rate() const { return rate(n_prompt, prefill); }
double Generation::decode_rate() const { return rate(n_decoded, decode); }

std::string generated_text(const Generation& generation, const Tokenizer& tokenizer) {
  StreamDecoder decoder(tokenizer, /*at_beginning=*/false);
  std::string text;
  for (const std::int32_t id : generation.generated()) text += decoder.push(id);
  return text + decoder.finish();
}

Generation generate(const Generator& generator, Engine& engine, const GenerationListener& listener,
                    const Work& work) {
  std::optional<TimedSink> taps;
  if (listener.taps) taps.emplace(*listener.taps);
  const Runner runner{.run =
                          [&](std::span<const std::int32_t> ids, const Work& how) {
                            const double before = taps ? taps->seconds() : 0;
                            const Stopwatch watch;
                            engine.run(ids, taps ? &*taps : nullptr, how);
                            return watch.seconds() - ((taps ? taps->seconds() : 0) - before);
                          },
                      .logits = [&] { return engine.logits(); },
                      .runs_last = listener.taps != nullptr};
  Generation result = generate(generator, runner, listener.on_token, work);
  result.write = taps ? taps->seconds() : 0;
  return result;
}

Generation generate(const Generator& generator, PolicyDecoder& decoder,
                    const std::function<void(std::int32_t)>& on_token, const Work& work) {
  bool prefilled = false;
  const Runner runner{.run =
                          [&](std::span<const std::int32_t> ids, const Work& how) {
                            const Stopwatch watch;
                            if (prefilled) {
                              decoder.decode(ids.front(), how);
                            } else {
                              decoder.prefill(ids, how);
                            }
                            prefilled = true;
                            return watch.seconds();
                          },
                      .logits = [&] { return decoder.logits(); }};
  return generate(generator, runner, on_token, work);
}

}  // namespace qaq
