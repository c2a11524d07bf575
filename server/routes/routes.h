/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers, one for each name in server/routes.def. Each fills call->reply. */
#pragma once

struct aff_call;

void aff_route_recommend(struct aff_call *call);
void aff_route_affinities(struct aff_call *call);
void aff_route_events(struct aff_call *call);
void aff_route_put_orders(struct aff_call *call);
void aff_route_put_products(struct aff_call *call);
void aff_route_put_customers(struct aff_call *call);
void aff_route_list_reviews(struct aff_call *call);
void aff_route_put_reviews(struct aff_call *call);
void aff_route_health(struct aff_call *call);
void aff_route_live(struct aff_call *call);
void aff_route_ready(struct aff_call *call);
void aff_route_metrics(struct aff_call *call);
void aff_route_openapi(struct aff_call *call);
