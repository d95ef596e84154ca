#include "app/scope/diagnosis_service.h"

#include <QFileInfo>
#include <QProcess>
#include <optional>

#include "app/wiring/inputs.h"
#include "app/wiring/model_diagnosis.h"
#include "app/wiring/prompt.h"
#include "core/base/error.h"
#include "core/base/shell.h"
#include "core/base/text.h"
#include "data/models/model_store.h"

namespace qaq::scope {
namespace {

// Refuses a model whose predictions would not be those of the capture.
void requireModelOf(const CaptureInfo& info, const ModelFile& model, const Tokenizer& tokenizer) {
  const auto refuse = [&](const std::string& what) {
    refuse_input(
        {.file = model.file(),
         .what = cat("is not the model of ", info.name, ": ", what),
         .cure = cat("name the model that the capture was made with (", info.model_name, ")")});
  };
  const ModelShape &a = model.spec().shape, &b = info.shape;
  const auto shapeText = [](const ModelShape& shape) {
    return cat(shape.n_layers, " layers of ", shape.n_heads, " heads, ", shape.n_kv_heads,
               " of them KV, of ", shape.head_dim);
  };
  const bool fits = a.n_layers == b.n_layers && a.n_heads == b.n_heads &&
                    a.n_kv_heads == b.n_kv_heads && a.head_dim == b.head_dim;
  if (!fits) refuse(cat("it has ", shapeText(a), ", the capture ", shapeText(b)));
  for (std::size_t i = 0; i < info.token_ids.size(); ++i) {
    const std::int32_t id = info.token_ids[i];
    if (id < 0 || id >= a.vocab_size) refuse(cat("it has no token ", id));
    const std::string piece = tokenizer.piece(id);
    if (piece == info.token_text[i]) continue;
    refuse(cat("token ", i, " is \"", piece, "\" with it and \"", info.token_text[i],
               "\" in the capture"));
  }
}

std::string settingFlags(const ScopeParams& params) {
  const std::string set = command_line_text(params);
  return set.empty() ? set : " " + set;
}

std::string fileWord(const QString& path) {
  return shell_word(QFileInfo(path).fileName().toStdString());
}

// What the command line reads the same tokens from; nothing: there is no such text.
std::optional<std::string> promptText(const ModelFile& model, const Tokenizer& tokenizer,
                                      std::vector<std::int32_t> ids) {
  const std::vector<std::int32_t> wanted = ids;
  if (const auto beginning = tokenizer.beginning_id(); beginning && ids.front() == *beginning) {
    ids.erase(ids.begin());
  }
  std::string text = readable_text(tokenizer, ids);
  if (text.empty()) return std::nullopt;
  PromptSource source;
  source.text = text;
  const bool same = read_prompt(source, model, tokenizer, 0).ids == wanted;
  return same ? std::optional(text) : std::nullopt;
}

std::optional<std::string> followingText(const Tokenizer& tokenizer,
                                         const std::vector<std::int32_t>& ids) {
  std::string text = readable_text(tokenizer, ids);
  return tokenizer.encode(text, true) == ids ? std::optional(text) : std::nullopt;
}

// What makes the same again: in a shell alone where the text is read back as the same tokens, and
// in the window.
std::vector<std::string> commandsOf(const views::DiagnosisRequest& request,
                                    const Diagnosis& diagnosis, const DiagnosedText& text,
                                    const ModelFile& model, const Tokenizer& tokenizer) {
  const views::DiagnosisForm& form = request.form;
  const std::string setting = settingFlags(request.params);
  std::vector<std::string> out;
  const auto split = text.ids.begin() + text.n_prompt;
  const bool follows = text.n_prompt < request.capture->info().n_tokens;
  const auto prompt = promptText(model, tokenizer, {text.ids.begin(), split});
  const auto rest = followingText(tokenizer, {split, text.ids.end()});
  std::string own;
  if (form.step) own += cat(" --step ", *form.step);
  if (form.coinFlipMargin != DiagnosisOptions{}.coin_flip_margin) {
    own += cat(" --coin-flip-margin ", number_text(form.coinFlipMargin));
  }
  if (form.heads) own += " --heads";
  if (prompt && (!follows || rest)) {
    out.push_back(
        cat("qaq diagnose --model ", fileWord(form.model), " --prompt ", shell_word(*prompt),
            follows ? " --continuation " + shell_word(*rest) : cat(" --generate ", form.generate),
            own, setting));
  }
  std::string line = cat("diagnose model=", fileWord(form.model), " prefix=", form.prefix);
  if (!follows) line += cat(" generate=", form.generate);
  if (form.step) line += cat(" step=", *form.step);
  if (form.coinFlipMargin != DiagnosisOptions{}.coin_flip_margin) {
    line += cat(" margin=", number_text(form.coinFlipMargin));
  }
  if (form.heads) line += " heads=yes";
  out.push_back(cat("qaq-scope ", fileWord(request.path), setting, " --do ", shell_word(line)));
  if (!diagnosis.cells.empty()) {
    out.push_back(explain_command(fileWord(request.path), diagnosis.cells.front().cell,
                                  cat(" --prefix ", text.n_prompt, setting)));
  }
  return out;
}

views::SharedDiagnosis diagnosed(const views::DiagnosisRequest& request, const Work& work) {
  const views::DiagnosisForm& form = request.form;
  const CaptureInfo& info = request.capture->info();
  if (form.prefix < 1 || form.prefix > info.n_tokens) {
    refuse_usage({.place = "prefix",
                  .what = cat("there are no ", form.prefix, " tokens to quantize"),
                  .cure = cat("give 1 to ", info.n_tokens)});
  }
  if (!request.params.is_qaq()) {
    refuse_usage(
        {.place = "diagnose",
         .what = cat("explains what qaq breaks, not what ", request.params.policy, " does"),
         .cure = "choose the policy qaq"});
  }
  validate(request.params.qaq);
  const auto model = open_model_named(form.model.toStdString());
  const std::shared_ptr<const Tokenizer> tokenizer = make_tokenizer(*model);
  requireModelOf(info, *model, *tokenizer);
  work.throw_if_stopped();
  const std::vector<std::int32_t> prompt(info.token_ids.begin(),
                                         info.token_ids.begin() + form.prefix);
  DiagnosedText text{.ids = info.token_ids, .n_prompt = form.prefix};
  if (form.prefix == info.n_tokens) {
    text = greedy_text(model, prompt, request.params.qaq, {.n_generate = form.generate}, work);
  }
  if (text.n_following() == 0) {
    refuse_input({.file = info.name,
                  .what = "the model ends at once: there is no prediction to explain",
                  .cure = "quantize fewer tokens, so that some follow"});
  }
  const auto run = open_mixed_run(model, text, DType::f32, work, work);
  const std::vector<double> biasNorms = key_bias_norms(*model);
  auto out = std::make_shared<views::DiagnosisResult>();
  out->request = request;
  const DiagnosisOptions options{.params = request.params.qaq,
                                 .violation = request.params.violation,
                                 .coin_flip_margin = form.coinFlipMargin,
                                 .step = form.step,
                                 .key_bias_norms = biasNorms,
                                 .own_text_parts = text.own_parts};
  out->diagnosis = diagnose(*run, options, work);
  if (form.heads) add_head_kl(*run, options, out->diagnosis, work);
  const bool isPrompt = form.prefix == info.n_prompt && !info.prompt_text.empty();
  out->subject = {.model = model->spec().name,
                  .prompt = isPrompt ? info.prompt_text : readable_text(*tokenizer, prompt),
                  .token_text = [tokenizer](std::int32_t id) { return tokenizer->piece(id); },
                  .commands = commandsOf(request, out->diagnosis, text, *model, *tokenizer)};
  return out;
}

void writeReport(const QString& path, const views::DiagnosisResult& result,
                 std::vector<PagePicture> pictures, const Work&) {
  check_report_name("report", path.toStdString());
  write_report(path.toStdString(),
               diagnosis_page(result.diagnosis, result.subject, std::move(pictures)));
}

// A known model that is there, else what its command said, beside the capture where it lies there.
QString modelOf(const CaptureInfo& info, const QString& path) {
  for (const KnownModel& known : ModelStore::known()) {
    if (known.sha256 == info.model_sha256) {
      return QString::fromUtf8(known.name.data(), qsizetype(known.name.size()));
    }
  }
  const QStringList words = QProcess::splitCommand(QString::fromStdString(info.command_line));
  const qsizetype at = words.indexOf(QStringLiteral("--model"));
  if (at < 0 || at + 1 >= words.size()) return {};
  const QString beside = QFileInfo(path).absolutePath() + QLatin1Char('/') + words[at + 1];
  return QFileInfo::exists(beside) ? beside : words[at + 1];
}

}  // namespace

views::DiagnosisMaker diagnosisMaker() {
  views::DiagnosisMaker maker{
      .make = diagnosed, .write = writeReport, .modelOf = modelOf, .models = {}};
  const ModelStore store;
  for (const KnownModel& model : ModelStore::known()) {
    if (store.has(model)) {
      maker.models.push_back(QString::fromUtf8(model.name.data(), qsizetype(model.name.size())));
    }
  }
  return maker;
}

}  // namespace qaq::scope
