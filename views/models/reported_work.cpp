#include "views/models/reported_work.h"

#include <exception>
#include <new>

#include "core/base/error.h"

namespace qaq::views {
namespace {

using Told = std::function<void(const QString& stage, qint64 done, qint64 total)>;

class ToldProgress : public Progress {
 public:
  ToldProgress(QObject* receiver, Told told) : m_receiver(receiver), m_told(std::move(told)) {}
  void update(const ProgressState& state) override {
    const QString stage = QString::fromUtf8(state.stage.data(), qsizetype(state.stage.size()));
    QMetaObject::invokeMethod(m_receiver, [told = m_told, stage, done = state.done,
                                           total = state.total] { told(stage, done, total); });
  }

 private:
  QObject* m_receiver;
  Told m_told;
};

}  // namespace

WorkEnd runReported(QObject* receiver, const std::stop_token& stop, const QString& smaller,
                    const std::function<void(const Work&)>& work, const Told& told) {
  try {
    ToldProgress progress(receiver, told);
    work(Work(&progress, stop));
    return {};
  } catch (const Error& e) {
    return {QString::fromUtf8(e.what()), e.kind() == ErrorKind::interrupted};
  } catch (const std::bad_alloc&) {
    return {QObject::tr("out of memory; %1").arg(smaller)};
  } catch (const std::exception& e) {
    return {QString::fromUtf8(e.what())};
  }
}

}  // namespace qaq::views
