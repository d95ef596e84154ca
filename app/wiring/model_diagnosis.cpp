#include "app/wiring/model_diagnosis.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "app/wiring/cpu_engines.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluate/divergence.h"
#include "data/files/whole_file.h"

namespace qaq {

namespace fs = std::filesystem;

DiagnosedText greedy_text(const std::shared_ptr<const ModelFile>& model,
                          const std::vector<std::int32_t>& prompt, const QaqParams& params,
                          const GreedyCall& call, const Work& work) {
  const std::int64_t n_prompt = std::ssize(prompt);
  PrefixRun run(cpu_engines(model, {n_prompt + call.n_generate, n_prompt}, work), {params},
                call.dtype);
  GenerationCall generation{prompt, n_prompt, call.n_generate, {}};
  if (!call.ignore_eos) generation.end_ids = model->spec().end_token_ids;
  const DivergenceResult result = generate_divergence(run, generation, work);
  DiagnosedText out{.ids = prompt, .n_prompt = n_prompt};
  out.ids.insert(out.ids.end(), result.reference.begin(), result.reference.end());
  // Row i predicts generated token i + 1; the first one comes from before quantization.
  if (result.first_difference[0] > 0) out.own_parts = result.first_difference[0] - 1;
  return out;
}

std::unique_ptr<MixedRun> open_mixed_run(const std::shared_ptr<const ModelFile>& model,
                                         const DiagnosedText& text, DType dtype,
                                         const Work& loading, const Work& work) {
  const std::int64_t n = std::ssize(text.ids);
  return std::make_unique<MixedRun>(
      cpu_engines(model, {n, std::max(text.n_prompt, text.n_following())}, loading),
      PrefixedText{text.ids, text.n_prompt}, dtype, work);
}

std::vector<double> key_bias_norms(const ModelFile& model) {
  std::vector<double> out;
  if (!model.spec().pieces.key_bias) return out;
  for (std::int64_t layer = 0; layer < model.spec().shape.n_layers; ++layer) {
    const WeightView bias = model.weight(WeightRole::key_bias, layer);
    std::vector<float> numbers(static_cast<std::size_t>(bias.cols));
    decode_row(bias.type, bias.bytes, numbers);
    double squares = 0;
    for (const float x : numbers) squares += double{x} * x;
    out.push_back(std::sqrt(squares));
  }
  return out;
}

std::string explain_command(const std::string& capture, const CellAddress& cell,
                            const std::string& setting) {
  return cat("qaq explain ", capture, " --cell ", name_of(cell.side), ",", cell.layer, ",",
             cell.kv_head, ",", cell.token, setting);
}

void check_report_name(const std::string& flag, const std::string& path) {
  const auto ending = fs::path(path).extension();
  if (ending == ".html" || ending == ".md") return;
  refuse_usage({.place = flag,
                .what = cat("'", path, "' is neither .html nor .md"),
                .cure = "name a file REPORT.html or REPORT.md"});
}

void write_report(const std::string& path, const Page& page) {
  if (fs::path(path).extension() == ".html") {
    write_whole(path, page_html(page));
    return;
  }
  for (const PageBlock& block : page.blocks) {
    const PagePicture& picture = block.picture;
    if (block.kind != PageBlock::Kind::picture || picture.png.empty()) continue;
    write_whole((fs::path(path).parent_path() / picture.file).string(), picture.png);
  }
  write_whole(path, page_markdown(page));
}

}  // namespace qaq
