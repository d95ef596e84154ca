// How fast models of LLaMA-2's shapes run, are captured, and decode on a quantized cache. Times are
// of the host's clock around a run that waits for its work.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <span>

#include "core/base/stopwatch.h"
#include "core/base/text.h"
#include "core/replay/stream_planner.h"
#include "gpu/backend.h"
#include "gpu/codec/cuda_decoder.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/engine/device_plan.h"
#include "tests/gpu_check/seeded_model.h"
#include "tests/gpu_check/timing.h"

namespace qaq::gpu_check {
namespace {

using cases::shape_text;

constexpr double kGoalDecode = 0.8;       // of the datasheet's rate: 1.25 times the floor
constexpr double kGoalCapture = 1.15;     // times what it cannot be shorter than
constexpr double kGoalQuantizing = 0.05;  // of a step, or of the prompt
constexpr double kGoalHidden = 0.8;       // of the time that promotions take on the link
constexpr double kPromotingError = 0.03;  // promotes 1 % of all units a step, at 4096 tokens
constexpr std::int64_t kTopLogits = 32;   // a row, as captures keep
constexpr std::int64_t kSpare = std::int64_t{1} << 30;  // bytes of the GPU that are left alone

struct Lengths {
  std::int64_t shorter, longer;  // of prompts
  std::int64_t decoded;          // tokens behind the longer one
};
Lengths lengths(const Context& context) {
  if (context.options.shim) return {10, 20, 4};
  return {1024, 4096, 64};
}

ModelShape shape_for(const Context& context, const ModelShape& shape) {
  return context.options.shim ? shim_shape() : shape;
}

// Any tokens.
std::vector<std::int32_t> prompt(const ModelShape& s, std::int64_t n) {
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < n; ++i) {
    ids.push_back(static_cast<std::int32_t>(i * 7919 % s.vocab_size));
  }
  return ids;
}

// Keys and values of so many tokens in 16 bits.
double cache_bytes(const ModelShape& s, std::int64_t n) {
  ModelSpec spec;
  spec.shape = s;
  return static_cast<double>(cuda::cache_bytes(spec, DType::f16, n));
}

/// What a capture of a prompt of n tokens asks for, and drops.
class DroppingSink : public TapSink {
 public:
  enum class Profile { none, derive, window, full };

  DroppingSink(Profile profile, std::int64_t n) : profile_(profile), n_(n) {}
  bool wants(TapKind what, std::int64_t, std::int64_t, std::int64_t) const override {
    if (what == TapKind::query) return profile_ != Profile::none;
    if (what != TapKind::attention && what != TapKind::attention_stats) return true;
    return profile_ >= Profile::window;
  }
  void put(const TapBlock&) override {}
  std::int64_t top_logits() const override { return kTopLogits; }
  std::int64_t first_whole_row() const override {
    return profile_ == Profile::window ? std::max<std::int64_t>(0, n_ - kWindow) : 0;
  }

  /// Bytes that leave the GPU.
  double bytes(const ModelShape& s) const {
    double sum = cache_bytes(s, n_) + static_cast<double>(4 * n_ * (3 + 2 * kTopLogits));
    const double heads = static_cast<double>(s.n_layers * s.n_heads);
    if (profile_ != Profile::none) sum += heads * static_cast<double>(2 * n_ * s.head_dim);
    if (profile_ < Profile::window) return sum;
    const std::int64_t n_summed = first_whole_row();  // an entropy and a sum each
    return sum +
           heads * 4 *
               static_cast<double>(2 * n_summed + cuda::triangle_size(n_summed, n_ - n_summed));
  }
  const char* text() const {
    static constexpr const char* kTexts[] = {"keys and values", "queries, too",
                                             "queries and the last rows of attention, too",
                                             "queries and attention, too"};
    return kTexts[static_cast<int>(profile_)];
  }

 private:
  static constexpr std::int64_t kWindow = 64;

  Profile profile_;
  std::int64_t n_;
};

/// A model of a shape, open on the GPU.
class Timings {
 public:
  Timings(Context& context, std::shared_ptr<const SeededModel> model)
      : context_(context),
        model_(std::move(model)),
        lengths_(lengths(context)),
        ids_(prompt(shape(), lengths_.longer)) {
    const Stopwatch opening;
    engine_ = make_cuda_backend()->open(model_, limits());
    engine_->run(std::span(ids_).first(1));  // waits for the weights
    const double bytes =
        2 * static_cast<double>(model_->n_multiplied() + shape().vocab_size * shape().hidden_size);
    add_row(context, name("open"), "weights of 16 bits",
            Timed{.limit = Limit::link, .seconds = opening.seconds(), .bytes = bytes});
  }

  static EngineLimits limits_for(const Lengths& lengths) {
    return {.max_tokens = lengths.longer + lengths.decoded,
            .max_batch = lengths.longer,
            .dtype = DType::f16};
  }

  void time_prompts() {
    time_prompt(lengths_.shorter);
    if (!context_.options.quick) time_prompt(lengths_.longer);
  }

  void time_decode() {
    fill(lengths_.longer);
    const double bytes =
        2 * static_cast<double>(model_->n_multiplied()) + cache_bytes(shape(), lengths_.longer + 1);
    const auto time = [&](const std::string& how, double goal) {
      measure(context_, Run{.name = name("decode step, " + how),
                            .shape = shape_text({{"T", lengths_.longer}}),
                            .timed = {.limit = Limit::memory, .bytes = bytes, .goal = goal},
                            .run = [&] { engine_->run(std::span(ids_).first(1)); },
                            .before = [&] { engine_->keep(lengths_.longer); }});
    };
    setenv("QAQ_CUDA_GRAPH", "0", 1);
    time("launched", 0);
    unsetenv("QAQ_CUDA_GRAPH");
    time("graph", kGoalDecode);
  }

 private:
  const ModelShape& shape() const { return model_->spec().shape; }
  EngineLimits limits() const { return limits_for(lengths_); }
  std::string name(const std::string& what) const { return model_->spec().name + ", " + what; }

  void fill(std::int64_t n, TapSink* taps = nullptr) {
    engine_->keep(0);
    engine_->run(std::span(ids_).first(static_cast<std::size_t>(n)), taps);
  }

  double operations(std::int64_t n) const {
    const ModelShape& s = shape();
    const double rows = static_cast<double>(n);
    // The head sees the last row alone.
    const double head = static_cast<double>(s.vocab_size * s.hidden_size);
    const double products =
        2 * rows * (static_cast<double>(model_->n_multiplied()) - head) + 2 * head;
    const double channels = static_cast<double>(s.n_layers * s.n_heads * s.head_dim);
    return products + 4 * channels * rows * (rows + 1) / 2;
  }

  void time_prompt(std::int64_t n) {
    const std::string text = shape_text({{"T", n}});
    const double alone = measure(
        context_, Run{.name = name("prefill"),
                      .shape = text,
                      .timed = {.limit = Limit::half_arithmetic, .operations = operations(n)},
                      .run = [&] { fill(n); }});
    using Profile = DroppingSink::Profile;
    for (const auto profile : {Profile::none, Profile::derive, Profile::window, Profile::full}) {
      DroppingSink sink(profile, n);
      Timed timed{.limit = Limit::link, .bytes = sink.bytes(shape())};
      const double link = context_.report.machine.link_rate;
      const double least = std::max(alone, link > 0 ? timed.bytes / link : 0);
      timed.most_seconds = kGoalCapture * least;
      measure(context_, Run{.name = name("capture"),
                            .shape = text + ", " + sink.text(),
                            .timed = timed,
                            .run = [&] { fill(n, &sink); }});
    }
  }

  Context& context_;
  std::shared_ptr<const SeededModel> model_;
  Lengths lengths_;
  std::vector<std::int32_t> ids_;
  std::unique_ptr<Engine> engine_;
};

// Whether the GPU has so much; else a row says that it has not.
bool has_room(Context& context, const std::string& name, std::int64_t needed) {
  const std::int64_t free = cuda::free_device_bytes();
  if (needed + kSpare <= free) return true;
  context.report.skip("fast", name,
                      cat("needs ", byte_text(needed), " of the GPU, free are ", byte_text(free)));
  return false;
}

void time_model(Context& context, const std::string& name, const ModelShape& wanted) {
  const auto model = std::make_shared<const SeededModel>(name, shape_for(context, wanted));
  const EngineLimits limits = Timings::limits_for(lengths(context));
  if (!has_room(context, name, cuda::plan_device_memory(model->spec(), limits).total())) return;
  Timings timings(context, model);
  timings.time_prompts();
  timings.time_decode();
}

std::int64_t decoder_bytes(const Context& context, const ModelSpec& spec,
                           const DecodePolicy& policy) {
  EngineLimits limits = Timings::limits_for(lengths(context));
  limits.tapped = false;
  const cuda::StreamingSetup setup{.shape = spec.shape,
                                   .max_tokens = limits.max_tokens,
                                   .dtype = policy.dtype,
                                   .params = planning_params(policy.params, policy.streaming),
                                   .streaming = policy.streaming};
  return cuda::StreamingOps::memory(spec, limits, setup).total();
}

/// A model that decodes on a quantized cache.
class QaqTimings {
 public:
  QaqTimings(Context& context, std::shared_ptr<const SeededModel> model, const DecodePolicy& policy,
             const std::string& how)
      : context_(context),
        model_(std::move(model)),
        lengths_(lengths(context)),
        name_(cat(model_->spec().name, ", QAQ", how, ", ")) {
    std::string why_not;
    decoder_ = std::make_unique<cuda::CudaDecoder>(model_, Timings::limits_for(lengths_), policy,
                                                   cuda::CublasLt::open(why_not), Work{});
  }

  /// Gives the seconds of a step. `without`: the same where nothing is promoted, by which it shows
  /// how much of the link's time is hidden behind the step; 0: not known.
  double run(double without) {
    decoder_->prefill(prompt(model_->spec().shape, lengths_.longer), {});
    decode(lengths_.decoded / 4);  // graphs are captured
    const DecodeFigures before = decoder_->figures();
    std::vector<double> steps = decode(lengths_.decoded / 2);
    const DecodeFigures after = decoder_->figures();
    std::ranges::sort(steps);
    const double step = steps[steps.size() / 2];
    add_step(step, without, before, after);
    add_rest(after);
    return step;
  }

 private:
  // Seconds of each.
  std::vector<double> decode(std::int64_t n) {
    std::vector<double> seconds;
    for (std::int64_t i = 0; i < n; ++i) {
      const Stopwatch one;
      decoder_->decode(static_cast<std::int32_t>(i % model_->spec().shape.vocab_size), {});
      seconds.push_back(one.seconds());
    }
    return seconds;
  }

  void add_step(double step, double without, const DecodeFigures& before,
                const DecodeFigures& after) {
    const auto n = static_cast<double>(after.steps - before.steps);
    const std::int64_t promotions = after.key.promotions + after.value.promotions -
                                    before.key.promotions - before.value.promotions;
    const std::int64_t bytes = (after.h2d.bytes - before.h2d.bytes) / (after.steps - before.steps);
    const ModelShape& s = model_->spec().shape;
    const auto units = static_cast<double>(2 * s.n_layers * s.n_kv_heads * lengths_.longer);
    const double each = static_cast<double>(promotions) / n;
    std::string note = cat(each, " promotions a step, ", number(100 * each / units),
                           " % of all units, ", byte_text(bytes), " over the link");
    Timed timed{.limit = Limit::memory,
                .seconds = step,
                .bytes = 2 * static_cast<double>(model_->n_multiplied()) +
                         static_cast<double>(after.resident_bytes)};
    const double rate = context_.report.machine.link_rate;
    if (without > 0 && bytes > 0 && rate > 0) {
      const double link = static_cast<double>(bytes) / rate;
      timed.most_seconds = without + (1 - kGoalHidden) * link;
      note += cat(", of whose ", number(1e3 * link), " ms ",
                  number(100 * (1 - (step - without) / link)), " % are hidden");
    }
    add("decode step", timed,
        cat(note, "; bits of keys ", number(after.key_mean_bits), ", of values ",
            number(after.value_mean_bits)));
    add("quantization of a step, beside the model",
        Timed{.seconds = (after.step_quantizing_seconds - before.step_quantizing_seconds) / n}, "");
    add("by which the step is longer",
        Timed{.seconds = (*after.step_exposed_seconds - *before.step_exposed_seconds) / n,
              .most_seconds = promotions == 0 ? kGoalQuantizing * step : 0},
        "");
  }

  void add_rest(const DecodeFigures& after) {
    add("prompt", Timed{.seconds = after.prefill_seconds}, "");
    add("quantization of the prompt",
        Timed{.seconds = after.prefill_quantizing_seconds,
              .most_seconds = kGoalQuantizing * after.prefill_seconds},
        "");
    add("memory", std::nullopt,
        cat("keys: ", text_of(after.on_device->key), "; values: ", text_of(after.on_device->value),
            "; unquantized ", byte_text(after.full_bytes)));
  }

  static std::string number(double x) { return cat(std::round(x * 100) / 100); }
  static std::string text_of(const DeviceCacheBytes& b) {
    return cat("codes ", byte_text(b.codes), ", scales ", byte_text(b.scales), ", outliers ",
               byte_text(b.outliers), ", maps ", byte_text(b.maps), ", unused ",
               byte_text(b.unused), ", workspace ", byte_text(b.workspace));
  }

  void add(const std::string& what, const std::optional<Timed>& timed, const std::string& note) {
    add_row(context_, name_ + what, shape_text({{"T", lengths_.longer}}), timed, note);
  }

  Context& context_;
  std::shared_ptr<const SeededModel> model_;
  Lengths lengths_;
  std::string name_;
  std::unique_ptr<cuda::CudaDecoder> decoder_;
};

}  // namespace

void time_7b(Context& context) { time_model(context, "7B shape", llama_7b_shape()); }

void time_13b(Context& context) {
  if (context.options.quick) return context.report.skip("fast", "13b", "left out by --quick");
  time_model(context, "13B shape", llama_13b_shape());
}

void time_qaq_7b(Context& context) {
  const auto model =
      std::make_shared<const SeededModel>("7B shape", shape_for(context, llama_7b_shape()));
  DecodePolicy policy{.dtype = DType::f16};
  if (!has_room(context, "7B shape, QAQ", decoder_bytes(context, model->spec(), policy))) return;
  policy.streaming.promote_hysteresis = kMaxBits;
  QaqTimings(context, model, policy, " without promotions").run(0);
  if (context.options.quick) return;
  // So strict that bits of values follow their importance, from step to step.
  policy.params.value.target_quantization_error = kPromotingError;
  const double without =
      QaqTimings(context, model, policy, " of more bits, without promotions").run(0);
  policy.streaming.promote_hysteresis = 0;
  QaqTimings(context, model, policy, " of more bits").run(without);
}

}  // namespace qaq::gpu_check
