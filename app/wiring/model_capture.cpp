#include "app/wiring/model_capture.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "app/wiring/device.h"
#include "app/wiring/inputs.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/stopwatch.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/engine/backend.h"
#include "data/capture/capture_rope.h"
#include "data/capture/profile_name.h"

namespace qaq {
namespace {

// Above this size the scores are left out and derived when asked for (they grow with T^2).
constexpr std::int64_t kDeriveAbove = 2'000'000'000;

void set_attention(CapturePlan& plan, const std::string& text) {
  const auto refuse = [&] {
    refuse_usage({.place = "--attention",
                  .what = cat("'", text, "' is no attention profile"),
                  .cure = "choose full, window:N, derive or none"});
  };
  plan.info.profile = AttentionProfile::full;
  if (text == "auto") {
    if (predicted_capture_bytes(plan) > kDeriveAbove) plan.info.profile = AttentionProfile::derive;
  } else if (text == "derive") {
    plan.info.profile = AttentionProfile::derive;
  } else if (text == "none") {
    plan.info.profile = AttentionProfile::none;
  } else if (text.starts_with("window:")) {
    plan.info.profile = AttentionProfile::window;
    try {
      plan.attention_window = std::stoll(text.substr(7));
    } catch (const std::exception&) {
      refuse();
    }
    if (plan.attention_window < 1) refuse();
  } else if (text != "full") {
    refuse();
  }
  if (plan.info.profile == AttentionProfile::derive && !plan.info.has_queries) {
    refuse_usage({.place = "--no-queries",
                  .what = "attention cannot be derived without queries",
                  .cure = "leave out --no-queries, or capture with --attention full"});
  }
}

nlohmann::ordered_json capture_record(const CaptureRequest& request, const CapturePlan& plan,
                                      const Backend& backend, const Origin& origin) {
  auto record = provenance_of(origin);
  record["model"] = plan.info.model_name;
  record["model_sha256"] = plan.info.model_sha256;
  record["tokenizer_sha256"] = plan.tokenizer_sha256;
  record["prompt_sha256"] = sha256_hex(plan.info.prompt_text);
  record["dtype"] = name_of(plan.info.dtype);
  record["generation"] = generation_json(request.generation);
  add_device(record, backend.info());
  record["started_utc"] = plan.info.created_utc;
  record["ended_utc"] = utc_now();
  return record;
}

CaptureTokens tokens_of(const std::vector<std::int32_t>& ids, const Tokenizer& tokenizer) {
  CaptureTokens tokens{.ids = ids, .text = {}, .bytes = {}};
  for (const std::int32_t id : ids) {
    tokens.text.push_back(tokenizer.piece(id));
    tokens.bytes.push_back(tokenizer.bytes(id));
  }
  return tokens;
}

}  // namespace

CapturePlan capture_plan(const CaptureRequest& request, const Generator& generator) {
  const ModelSpec& spec = generator.model->spec();
  const Tokenizer& tokenizer = *generator.tokenizer;
  CapturePlan plan;
  CaptureInfo& info = plan.info;
  info.model_name = spec.name;
  info.architecture = spec.architecture;
  info.weights_dtype = spec.weights_dtype;
  info.config_json = spec.config_json;
  info.position_embedding = spec.positions;
  info.alibi_slopes = spec.alibi_slopes;
  info.rope_theta = spec.positions == PositionEmbedding::rope ? spec.rope.theta : 0.0;
  info.shape = spec.shape;
  info.rope_frequencies =
      plain_rope_frequencies(spec.config_json, info.rope_theta, spec.shape.head_dim);
  info.attention_windows.assign(spec.attention_windows.begin(), spec.attention_windows.end());
  if (request.layers.empty()) {
    for (std::int32_t layer = 0; layer < spec.shape.n_layers; ++layer) info.layers.push_back(layer);
  } else {
    info.layers = parse_layers(request.layers, spec.shape.n_layers);
  }
  info.n_prompt = std::ssize(generator.prompt.ids);
  info.prompt_text = generator.prompt.text;
  info.special_ids = tokenizer.special_ids();
  info.dtype = generator.dtype();
  info.has_queries = !request.no_queries;
  plan.tokenizer_kind = tokenizer.kind();
  plan.max_tokens = info.n_prompt + generator.options.n_generate;
  plan.may_end_early = generator.options.n_generate > 0 &&
                       (!generator.options.ignore_eos || !generator.options.stop_ids.empty());
  set_attention(plan, request.attention);
  return plan;
}

CaptureOutcome make_capture(const CaptureRequest& request, const Generator& generator,
                            CapturePlan plan, const Origin& origin, const Work& work) {
  const Stopwatch total;
  plan.info.model_sha256 = generator.model->sha256();
  plan.info.creator = cat(origin.program, " ", program_version());
  plan.info.created_utc = utc_now();
  plan.info.command_line = origin.command_line;
  plan.tokenizer_sha256 = generator.tokenizer->sha256();
  const auto engine = generator.open_engine(work, /*tapped=*/true);
  CaptureOutcome out;
  out.load = total.seconds();
  const auto writer = CaptureWriter::create(request.output, plan);
  out.generation = generate(generator, *engine, {.taps = writer.get()}, work);
  work.throw_if_stopped();

  const Stopwatch finish;
  work.report({"write", 0, 1, "file"});
  writer->finish(tokens_of(out.generation.ids, *generator.tokenizer),
                 capture_record(request, plan, *generator.backend, origin).dump());
  work.report({"write", 1, 1, "file"});
  out.write = out.generation.write + finish.seconds();
  return out;
}

}  // namespace qaq
