// DeepSeek's routes that no other dialect has. Its chat completions are OpenAI's with more fields
// (openai_chat_request.cc), its fill-in-the-middle is OpenAI's completions with a suffix, its
// Anthropic form stands below /anthropic.
#include "serve/routes.h"

namespace hadal {

void AddDeepSeekRoutes(Router* router) {
  // Nothing is paid for here: there is always enough.
  router->Add({"GET", "/user/balance", Access::Key(Scope::kInfer), [](const auto& exchange) {
                 exchange->Send(HttpResponse::Json(
                     R"({"is_available":true,"balance_infos":[{"currency":"USD",)"
                     R"("total_balance":"0.00","granted_balance":"0.00",)"
                     R"("topped_up_balance":"0.00"}]})"));
               }});
}

}  // namespace hadal
