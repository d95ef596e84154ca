#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/wiring/prompt.h"
#include "core/base/progress.h"
#include "core/engine/backend.h"
#include "core/engine/engine.h"
#include "core/engine/sampler.h"
#include "core/engine/tap.h"
#include "core/evaluate/policy_decoder.h"
#include "core/tensor/dtype.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq {

/// Which model continues which prompt, and how.
struct GenerationOptions {
  std::string model;
  double prune_weights = 0;        ///< share of each linear map's weights that is set to 0
  std::string device = "cpu";      ///< or "cuda"
  std::string weights = "stored";  ///< or "f32": dequantized once, when loaded
  /// What a capture stores, and on CUDA what weights and cache are held as; empty: f32 on the CPU,
  /// f16 on CUDA.
  std::optional<DType> dtype;
  PromptSource prompt;
  std::int64_t n_generate = 0;
  bool ignore_eos = false;
  std::vector<std::int32_t> stop_ids;
  SamplingParams sampling;
};

/// options.dtype, or the device's default.
DType dtype_of(const GenerationOptions& options);

/// How the text was continued, for reports and provenance: parameters and seed of the sampling,
/// what ends a text, how weights are held.
nlohmann::ordered_json generation_json(const GenerationOptions& options);

/// A prompt with the model and tokenizer that it is for. Throws Error{input} naming what is wrong.
struct Generator {
  /// The device first: a model is not read for one that is not there.
  explicit Generator(const GenerationOptions& options);
  /// The engine, large enough for the prompt and what is generated; `tapped`: with taps.
  std::unique_ptr<Engine> open_engine(const Work& work, bool tapped) const;
  /// The same model where a policy quantizes its cache as it decodes.
  std::unique_ptr<PolicyDecoder> open_decoder(const DecodePolicy& policy, const Work& work) const;
  DType dtype() const { return dtype_of(options); }
  /// Room for the prompt and what is generated.
  EngineLimits limits(bool tapped) const;

  GenerationOptions options;
  std::shared_ptr<const Backend> backend;
  std::shared_ptr<const ModelFile> model;
  std::shared_ptr<const Tokenizer> tokenizer;
  Prompt prompt;
};

/// What was run, and how long it took.
struct Generation {
  std::vector<std::int32_t> ids;  ///< prompt and generated
  std::int64_t n_prompt = 0;
  std::int64_t n_decoded = 0;                 ///< generated tokens that were run, too
  double prefill = 0, decode = 0, write = 0;  ///< seconds; write: in the tap sink

  std::vector<std::int32_t> generated() const { return {ids.begin() + n_prompt, ids.end()}; }
  std::int64_t n_generated() const { return std::ssize(ids) - n_prompt; }
  double prefill_rate() const;  ///< tokens a second
  double decode_rate() const;
};

/// The generated tokens as text that goes on after the prompt; valid UTF-8.
std::string generated_text(const Generation& generation, const Tokenizer& tokenizer);

/// Who is told about a generation; either may be null.
struct GenerationListener {
  TapSink* taps = nullptr;                          ///< gets every token, the last one too
  std::function<void(std::int32_t)> on_token = {};  ///< gets each new token before it is run
};

/// Prefills the prompt and decodes to the wanted length, an end token of the model (unless ignored)
/// or a stop id; that token is left out. Throws what the engine throws.
Generation generate(const Generator& generator, Engine& engine, const GenerationListener& listener,
                    const Work& work);
/// The same on a cache that is quantized as it grows; no taps are given.
Generation generate(const Generator& generator, PolicyDecoder& decoder,
                    const std::function<void(std::int32_t)>& on_token, const Work& work);

}  // namespace qaq
