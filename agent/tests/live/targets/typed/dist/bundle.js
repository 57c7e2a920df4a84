var s=(e=>(e.Euro="EUR",e.Franc="CHF",e))(s||{});const{target:u}=require("../../target.js"),
o=150;function i(t){const n=Date.now()+o;let e=0;for(;Date.now()<
n;)for(const{cents:r}of t)e+=Math.sqrt(r);return e}class a{constructor(n,e){
this.prices=n;this.currency=e}prices;currency;countMoney(){const n=Date.
now()+o;let e=0;for(;Date.now()<n;)for(const r of this.prices)
e+=Math.sqrt(r.cents);return`${e} ${this.currency??"EUR"}`}}
const l=async t=>{await null;const n=Date.now()+o;let e=0;for(;Date.
now()<n;)for(const{cents:r}of t)e+=Math.round(r);return e},c=Array.
from({length:1e3},(t,n)=>({name:"a",cents:n})),m=new a(c,"CH\
F");u({go(t){const n=[i,()=>m.countMoney(),l];n.forEach((e,r)=>setTimeout(
e,100+300*r,c)),setTimeout(t,100+300*n.length)},truth:()=>({
computePrices:[20,27],countMoney:[32,39],roundTotals:[42,48]})});
//# sourceMappingURL=bundle.js.map
