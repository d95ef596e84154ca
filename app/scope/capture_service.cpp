#include "app/scope/capture_service.h"

#include <filesystem>

#include "app/wiring/model_capture.h"
#include "core/base/shell.h"
#include "core/base/text.h"
#include "data/capture/profile_name.h"
#include "data/models/model_store.h"

namespace qaq::scope {
namespace {

DType dtypeOf(const QString& name) {
  for (const DType each : {DType::f16, DType::bf16}) {
    if (name.toStdString() == name_of(each)) return each;
  }
  return DType::f32;
}

CaptureRequest requestOf(const views::CaptureForm& form) {
  CaptureRequest request;
  request.generation.model = form.model.toStdString();
  request.generation.prompt.text = form.prompt.toStdString();
  request.generation.prompt.file = form.promptFile.toStdString();
  request.generation.prompt.chat = form.chat;
  request.generation.n_generate = form.generate;
  request.layers = form.layers.toStdString();
  request.attention = form.attention.toStdString();
  request.generation.dtype = dtypeOf(form.dtype);
  request.output = form.output.toStdString();
  return request;
}

views::CaptureForecast forecast(const views::CaptureForm& form, const Work& work) {
  const CaptureRequest request = requestOf(form);
  const Generator generator(request.generation);
  work.throw_if_stopped();
  const CapturePlan plan = capture_plan(request, generator);
  return {.model = QString::fromStdString(plan.info.model_name),
          .promptTokens = plan.info.n_prompt,
          .mostTokens = plan.max_tokens,
          .layers = static_cast<int>(plan.info.layers.size()),
          .attention = QString::fromUtf8(name_of(plan.info.profile).data()),
          .bytes = predicted_capture_bytes(plan),
          .warning = QString::fromStdString(generator.prompt.warning)};
}

void make(const views::CaptureForm& form, const Work& work) {
  const CaptureRequest request = requestOf(form);
  const Generator generator(request.generation);
  work.throw_if_stopped();
  make_capture(request, generator, capture_plan(request, generator),
               {"qaq-scope", captureCommand(form)}, work);
}

}  // namespace

std::string captureCommand(const views::CaptureForm& form) {
  const auto fileName = [](const QString& path) {
    return shell_word(std::filesystem::path(path.toStdString()).filename().string());
  };
  std::string out = "qaq capture --model " + fileName(form.model);
  if (form.promptFile.isEmpty()) {
    out += " --prompt " + shell_word(form.prompt.toStdString());
  } else {
    out += " --prompt-file " + fileName(form.promptFile);
  }
  if (form.chat) out += " --chat";
  if (form.generate > 0) out += cat(" --generate ", form.generate);
  if (!form.layers.isEmpty()) out += " --layers " + shell_word(form.layers.toStdString());
  if (form.attention != QLatin1String("auto"))
    out += " --attention " + form.attention.toStdString();
  if (form.dtype != QLatin1String("f32")) out += " --dtype " + form.dtype.toStdString();
  return out + " -o " + fileName(form.output);
}

views::CaptureMaker captureMaker() {
  views::CaptureMaker maker{.forecast = forecast, .make = make, .models = {}};
  const ModelStore store;
  for (const KnownModel& model : ModelStore::known()) {
    if (store.has(model))
      maker.models.push_back(QString::fromUtf8(model.name.data(), qsizetype(model.name.size())));
  }
  return maker;
}

}  // namespace qaq::scope
