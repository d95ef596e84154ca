// qaq_import_taps FOLDER -o CAPTURE.h5 [--model MODEL]: a capture of the taps that gpu_check left
// in FOLDER (raw_taps.h), for `qaq info`, `qaq replay` and the window. MODEL, a known name or a
// path, gives the tokens their texts; without it they are numbers.
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "data/capture/capture_writer.h"
#include "data/models/hf_config.h"
#include "data/models/json_object.h"
#include "data/models/model_store.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/gpu_check/raw_taps.h"

namespace qaq::gpu_check {
namespace {

struct Arguments {
  std::string folder, output, model;
};

std::optional<Arguments> parse(std::span<char* const> given) {
  Arguments arguments;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view word = given[i];
    const bool flag = word == "-o" || word == "--model";
    if (flag && i + 1 < given.size()) {
      (word == "-o" ? arguments.output : arguments.model) = given[++i];
    } else if (!flag && !word.starts_with("-") && arguments.folder.empty()) {
      arguments.folder = word;
    } else {
      return std::nullopt;
    }
  }
  if (arguments.folder.empty() || arguments.output.empty()) return std::nullopt;
  return arguments;
}

DType dtype_named(const std::string& name) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    if (name_of(dtype) == name) return dtype;
  }
  refuse_input({.place = "dtype", .what = cat("'", name, "' is no number type")});
}

/// The taps of one run.
class Taps {
 public:
  explicit Taps(const std::string& folder)
      : numbers_path_(folder + "/taps.bin"),
        json_(JsonObject::read(folder + "/taps.json")),
        config_(json_.object("config")),
        spec_(hf_spec(config_, hf_family(config_), std::nullopt)),
        ids_(json_.integers("ids")),
        tokens_(json_.integers("tokens")) {}

  CapturePlan plan(const Tokenizer* tokenizer) const {
    CapturePlan plan;
    CaptureInfo& info = plan.info;
    info.model_name = json_.text_or("name", "");
    info.architecture = json_.text_or("architecture", "");
    info.model_sha256 = json_.text_or("sha256", "");
    info.weights_dtype = json_.text_or("weights_dtype", "");
    info.config_json = config_.json().dump();
    info.rope_theta = spec_.rope.theta;
    info.shape = spec_.shape;
    info.attention_windows.assign(spec_.attention_windows.begin(), spec_.attention_windows.end());
    for (std::int32_t layer = 0; layer < spec_.shape.n_layers; ++layer) {
      info.layers.push_back(layer);
    }
    info.n_prompt = std::ssize(ids_);
    info.dtype = dtype_named(json_.text_or("dtype", ""));
    info.creator = cat("qaq_import_taps ", program_version());
    info.created_utc = json_.text_or("utc", "");
    info.command_line = cat("qaq_import_taps ", numbers_path_);
    plan.max_tokens = info.n_prompt;
    plan.top_k = json_.size("top_logits");
    plan.tokenizer_kind = "none";
    if (tokenizer) {
      info.prompt_text = tokenizer->decode({tokens_.begin(), tokens_.end()});
      plan.tokenizer_kind = tokenizer->kind();
      plan.tokenizer_sha256 = tokenizer->sha256();
    }
    return plan;
  }

  CaptureTokens tokens(const Tokenizer* tokenizer) const {
    CaptureTokens tokens{.ids = {ids_.begin(), ids_.end()}, .text = {}, .bytes = {}};
    for (const std::int64_t token : tokens_) {
      const auto id = static_cast<std::int32_t>(token);
      tokens.text.push_back(tokenizer ? tokenizer->piece(id) : cat("#", id));
      tokens.bytes.push_back(tokenizer ? tokenizer->bytes(id) : tokens.text.back());
    }
    return tokens;
  }

  /// As they were given on the GPU machine.
  void put(TapSink& sink) const {
    std::ifstream in(numbers_path_, std::ios::binary);
    std::vector<float> numbers;
    for (const auto& entry : json_.json().at("blocks")) {
      TapBlock block{.what = tap_named(entry.at("what").get<std::string>()),
                     .layer = entry.at("layer"),
                     .first_head = entry.at("first_head"),
                     .n_heads = entry.at("n_heads"),
                     .first_row = entry.at("first_row"),
                     .n_rows = entry.at("n_rows"),
                     .n_cols = entry.at("n_cols")};
      numbers.resize(static_cast<std::size_t>(block.n_heads * block.n_rows * block.n_cols));
      block.bytes = std::as_bytes(std::span<const float>(numbers));
      in.seekg(entry.at("offset").get<std::int64_t>());
      in.read(reinterpret_cast<char*>(numbers.data()), std::ssize(block.bytes));
      if (!in) refuse_input({.file = numbers_path_, .what = "is too short"});
      if (sink.wants(block.what, block.layer, block.first_row, block.n_rows)) sink.put(block);
    }
  }

  nlohmann::ordered_json provenance() const {
    nlohmann::ordered_json out;
    for (const char* key : {"name", "sha256", "dtype", "device", "commit", "utc"}) {
      out[key] = json_.text_or(key, "");
    }
    out["backend"] = "cuda";
    return out;
  }

 private:
  std::string numbers_path_;
  JsonObject json_;
  JsonObject config_;
  ModelSpec spec_;
  std::vector<std::int64_t> ids_, tokens_;
};

void import(const Arguments& arguments) {
  const Taps taps(arguments.folder);
  std::shared_ptr<const Tokenizer> tokenizer;
  if (!arguments.model.empty()) {
    tokenizer = open_tokenizer(ModelStore().resolve(arguments.model));
  }
  const auto writer = CaptureWriter::create(arguments.output, taps.plan(tokenizer.get()));
  taps.put(*writer);
  writer->finish(taps.tokens(tokenizer.get()), taps.provenance().dump());
}

}  // namespace
}  // namespace qaq::gpu_check

int main(int argc, char** argv) {
  const auto arguments =
      qaq::gpu_check::parse(std::span(argv + 1, static_cast<std::size_t>(argc - 1)));
  if (!arguments) {
    std::fprintf(stderr, "usage: qaq_import_taps FOLDER -o CAPTURE.h5 [--model MODEL]\n");
    return 2;
  }
  try {
    qaq::gpu_check::import(*arguments);
    return 0;
  } catch (const qaq::Error& error) {
    std::fprintf(stderr, "qaq_import_taps: %s\n", error.what());
    return qaq::exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qaq_import_taps: %s\n", error.what());
    return 1;
  }
}
